// Files that are read from the beginning, and files that are replaced as a whole.
//
// A replaced file is written under a name beside it, brought to the disk, and renamed. So at each instant the path has
// the old file or the new one, also after a crash. Two writers of one path exclude each other by a lock of the system.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace syncmap::sync {

/// An open file of the system, or none.
class file_handle {
public:
    file_handle() noexcept = default;
    explicit file_handle(int number) noexcept : number_(number) {}
    file_handle(file_handle&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    file_handle& operator=(file_handle&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~file_handle() {
        if (number_ >= 0) ::close(number_);
    }
    explicit operator bool() const noexcept { return number_ >= 0; }
    int number() const noexcept { return number_; }

private:
    int number_ = -1;
};

[[noreturn]] inline void fail_on_file(const char* what, const std::string& path) {
    throw std::system_error(errno, std::generic_category(), std::string("syncmap: cannot ") + what + " '" + path + "'");
}
/// Calls `call()`, which returns a negative number on errors, until no signal interrupts it.
template <class Call>
auto uninterrupted(Call call) {
    decltype(call()) result{};
    do result = call();
    while (result < 0 && errno == EINTR);
    return result;
}

/// A file that is read.
class input_file {
public:
    /// Opens the file. Throws `std::system_error`, but not if there is no such file.
    explicit input_file(const std::string& path)
        : path_(path), file_(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); })) {
        if (!file_ && errno != ENOENT) fail_on_file("open", path_);
    }
    bool exists() const noexcept { return static_cast<bool>(file_); }

    /// Reads up to `size` bytes. Returns how many; 0 at the end. Throws `std::system_error`.
    std::size_t read(char* to, std::size_t size) {
        const auto got = uninterrupted([&] { return ::read(file_.number(), to, size); });
        if (got < 0) fail_on_file("read", path_);
        return static_cast<std::size_t>(got);
    }
    /// The next read begins at the beginning of the file.
    void rewind() {
        if (::lseek(file_.number(), 0, SEEK_SET) < 0) fail_on_file("read", path_);
    }

private:
    std::string path_;
    file_handle file_;
};

/// A file that takes the place of another one, with the permissions of that one, once it is complete.
class replacing_file {
public:
    /// Begins it. Waits while another one for the same path is being written. Throws `std::system_error`.
    explicit replacing_file(const std::string& path) : path_(path), own_path_(path + ".new") {
        for (;;) {
            file_ = file_handle(
                uninterrupted([this] { return ::open(own_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666); }));
            if (!file_) fail_on_file("write", own_path_);
            if (uninterrupted([this] { return ::flock(file_.number(), LOCK_EX); }) != 0) fail_on_file("lock", own_path_);
            if (is_still_there()) break; // else another writer has renamed or removed it meanwhile
        }
        struct stat old{};
        if (::stat(path_.c_str(), &old) == 0 && ::fchmod(file_.number(), old.st_mode & 0777U) != 0)
            fail_on_file("write", own_path_);
        if (uninterrupted([this] { return ::ftruncate(file_.number(), 0); }) != 0) fail_on_file("write", own_path_);
    }
    replacing_file(const replacing_file&) = delete;
    replacing_file& operator=(const replacing_file&) = delete;
    /// Removes what was written, unless it has taken its place.
    ~replacing_file() {
        if (!is_in_place_ && file_) ::unlink(own_path_.c_str());
    }

    /// Throws `std::system_error`.
    void write(const char* from, std::size_t size) {
        while (size != 0) {
            const auto put = uninterrupted([&] { return ::write(file_.number(), from, size); });
            if (put < 0) fail_on_file("write", own_path_);
            from += put;
            size -= static_cast<std::size_t>(put);
        }
    }
    /// Brings it to the disk, and then to its place. Throws `std::system_error`; the old file is there then.
    void take_place() {
        if (uninterrupted([this] { return ::fsync(file_.number()); }) != 0) fail_on_file("write", own_path_);
        if (::rename(own_path_.c_str(), path_.c_str()) != 0) fail_on_file("replace", path_);
        is_in_place_ = true;
        const std::size_t slash = path_.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
        const file_handle opened(::open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
        // Some file systems refuse it for folders: the file is complete in any case, and the rename reaches the disk later.
        if (opened) static_cast<void>(uninterrupted([&] { return ::fsync(opened.number()); }));
    }

private:
    bool is_still_there() const {
        struct stat mine{};
        struct stat named{};
        return ::fstat(file_.number(), &mine) == 0 && ::stat(own_path_.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
               mine.st_dev == named.st_dev;
    }

    std::string path_;
    std::string own_path_;
    file_handle file_;
    bool is_in_place_ = false;
};

} // namespace syncmap::sync
