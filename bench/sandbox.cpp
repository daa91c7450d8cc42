#include "sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

namespace syncmap::bench {
namespace {

constexpr std::byte complete{0xC0}; ///< the last byte of an answer: without it the child was cut short

[[noreturn]] void answer(int pipe, const std::function<bytes()>& work) {
    bytes out = work();
    out.push_back(complete);
    const std::byte* at = out.data();
    for (std::size_t left = out.size(); left > 0;) {
        const ssize_t written = write(pipe, at, left);
        if (written < 0) _exit(EXIT_FAILURE);
        at += written;
        left -= static_cast<std::size_t>(written);
    }
    _exit(EXIT_SUCCESS); // the parent's objects are the parent's to destroy
}

bytes read_to_end(int pipe) {
    bytes all;
    std::array<std::byte, 65536> part;
    for (;;) {
        const ssize_t count = read(pipe, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return all;
        all.insert(all.end(), part.begin(), part.begin() + count);
    }
}

std::string failure_of(int status) {
    if (!WIFSIGNALED(status)) return "fails";
    const int signal = WTERMSIG(status);
    return signal == SIGALRM ? "hangs" : std::string("crashes (") + strsignal(signal) + ")";
}

} // namespace

sandbox_result run_apart(const std::function<bytes()>& work) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return {std::string("cannot be tried: ") + std::strerror(errno)};
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        answer(ends[1], work);
    }
    const int fork_error = errno;
    close(ends[1]);
    sandbox_result result;
    if (child > 0) result.answer = read_to_end(ends[0]);
    close(ends[0]);
    if (child < 0) return {std::string("cannot be tried: ") + std::strerror(fork_error)};
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (result.answer.empty() || result.answer.back() != complete || !WIFEXITED(status)) return {failure_of(status)};
    result.answer.pop_back();
    return result;
}

void promise_to_return_within(double seconds) { alarm(static_cast<unsigned>(std::clamp(std::ceil(seconds), 1.0, 1e6))); }

} // namespace syncmap::bench
