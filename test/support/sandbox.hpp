// System calls refused from some moment on, in a process or thread of a test (Linux on x86-64).
#pragma once

#if defined(__linux__) && defined(__x86_64__)
#define SYNCMAP_TEST_SANDBOX 1

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

/// A call that fails with this error, all the time, or only if its second argument is at least so much.
struct refused {
    long call;
    int error = EPERM;
    unsigned second_argument_from = 0;
};

enum class whom : unsigned char { all_threads, this_thread };

/// There is no way back. False: the system does not have that.
inline bool refuse(std::initializer_list<refused> calls, whom threads = whom::all_threads) {
    const auto word_at = [](std::size_t offset) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
    };
    std::vector<sock_filter> filter;
    for (const refused& each : calls) {
        filter.push_back(word_at(offsetof(seccomp_data, nr)));
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(each.call), 0, 3));
        filter.push_back(word_at(offsetof(seccomp_data, args) + 8));
        filter.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, each.second_argument_from, 0, 1));
        filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(each.error)));
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    const unsigned flags = threads == whom::all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
}

/// What a child process says of a step that went wrong; it ends there.
inline void require_in_child(bool right, const char* what) {
    if (right) return;
    std::fprintf(stderr, "in the child: %s\n", what);
    ::_exit(1);
}

/// The heap is to take what it needs from one piece, not from mappings.
inline void keep_the_heap_in_one_piece() {
#if defined(__GLIBC__)
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_MAX, 0);
    ::mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

/// In a process of its own, which is ended after some minutes: whether `f` came to its end.
template <class F>
bool in_child(F f) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(240);
        f();
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace test

#endif
