// A stack of its own: what runs on it can be left in the middle and gone back to.
#pragma once

#include <cxxabi.h>
#include <sys/mman.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include <cstddef>
#include <cstdint>
#include <new>

namespace explore {

namespace detail {

#if defined(__x86_64__)
/// Keeps the registers that a call keeps on the present stack, and goes on from those kept on another one.
/// By hand because `swapcontext` asks the kernel for the signal mask, hundreds of times the price.
[[gnu::naked, gnu::noinline]] inline void change_stack(void** /*leaving*/, void* /*entering*/) {
    asm("pushq %rbp\n\t"
        "pushq %rbx\n\t"
        "pushq %r12\n\t"
        "pushq %r13\n\t"
        "pushq %r14\n\t"
        "pushq %r15\n\t"
        "movq %rsp, (%rdi)\n\t"
        "movq %rsi, %rsp\n\t"
        "popq %r15\n\t"
        "popq %r14\n\t"
        "popq %r13\n\t"
        "popq %r12\n\t"
        "popq %rbx\n\t"
        "popq %rbp\n\t"
        "ret");
}
#endif

/// What the C++ runtime keeps per thread about exceptions in flight (Itanium ABI 2.2.2): each fiber has its own.
struct exceptions_in_flight {
    void* caught = nullptr;
    unsigned int uncaught = 0;
};

} // namespace detail

class fiber {
public:
    using entry = void (*)(void*);

    /// The stack that the caller runs on already.
    fiber() = default;

    /// `start(argument)` runs on a new stack at the first change to it, and never returns.
    fiber(entry start, void* argument) : start_(start), argument_(argument) {
        stack_ = ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stack_ == MAP_FAILED) throw std::bad_alloc();
        ::mprotect(stack_, guard_bytes, PROT_NONE); // an overflow ends in a fault, not in another stack
#if defined(__x86_64__)
        void** const top = reinterpret_cast<void**>(static_cast<std::byte*>(stack_) + stack_bytes);
        top[-2] = reinterpret_cast<void*>(&fiber::begin); // where `ret` goes; below it the six registers
        position_ = top - 8;
#else
        ::getcontext(&context_);
        context_.uc_stack.ss_sp = stack_;
        context_.uc_stack.ss_size = stack_bytes;
        ::makecontext(&context_, &fiber::begin, 0);
#endif
    }

    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;
    ~fiber() {
        if (stack_ != nullptr) ::munmap(stack_, stack_bytes);
    }

    /// Leaves `from`, which is running, and goes on in `to`. Returns when another fiber changes to `from`.
    static void change(fiber& from, fiber& to) noexcept {
        auto& exceptions = *reinterpret_cast<detail::exceptions_in_flight*>(abi::__cxa_get_globals());
        from.exceptions_ = exceptions;
        exceptions = to.exceptions_;
        entering = &to;
#if defined(__x86_64__)
        detail::change_stack(&from.position_, to.position_);
#else
        ::swapcontext(&from.context_, &to.context_);
#endif
    }

private:
    static constexpr std::size_t stack_bytes = std::size_t{1} << 18;
    static constexpr std::size_t guard_bytes = std::size_t{1} << 12;

    static void begin() {
        fiber* const self = entering;
        self->start_(self->argument_);
        __builtin_trap();
    }

    static inline fiber* entering = nullptr;

    entry start_ = nullptr;
    void* argument_ = nullptr;
    void* stack_ = nullptr;
    detail::exceptions_in_flight exceptions_{};
#if defined(__x86_64__)
    void* position_ = nullptr;
#else
    ucontext_t context_{};
#endif
};

} // namespace explore
