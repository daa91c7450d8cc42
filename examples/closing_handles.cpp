// A bounded cache of open files: a listener closes each file that leaves, whatever the reason.
//
// One thread uses the files here. Where several do, the values are handles that they share, such as std::shared_ptr: the last
// thread that uses one closes it.
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include <syncmap/cache.hpp>

#include <fcntl.h>
#include <unistd.h>

int main() {
    int open_files = 0, evicted = 0;
    syncmap::cache<std::string, int> files(
        {.capacity = 2, .on_removal = [&](const std::string&, int file, syncmap::removal why) {
             close(file);
             --open_files;
             evicted += why == syncmap::removal::size ? 1 : 0;
         }});
    const auto open_file = [&](const std::string& path) {
        return files.get_or_load(path, [&] {
            const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
            if (file < 0) throw std::system_error(errno, std::generic_category(), path);
            ++open_files;
            return file;
        });
    };
    for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/null", "/dev/random"}) {
        open_file(path);
        std::printf("%-12s %d files are open\n", path, open_files);
        if (open_files > 2) return 1;
    }
    files.invalidate_all(); // the destructor does not call the listener
    std::printf("%d were closed because others came, %d are open\n", evicted, open_files);
    return evicted > 0 && open_files == 0 ? 0 : 1;
}
