// Keys and values that know whether they are alive, so that plain reads of freed memory show as well.
#pragma once

#include <compare>
#include <cstdint>

#include <explore/scheduler.hpp>

namespace explore {

/// A number with a mark that its destructor takes away. Too large and too complex for a slot: lives in a node.
class probe {
public:
    probe(std::uint64_t number) noexcept : number_(number) {}
    probe(const probe& other) noexcept : number_(other.number()) {}
    probe& operator=(const probe& other) noexcept {
        number();
        number_ = other.number();
        return *this;
    }
    ~probe() {
        touch();
        if (slot_word_ != alive) dead("destroyed twice");
        slot_word_ = 0;
    }

    std::uint64_t number() const noexcept {
        touch();
        if (slot_word_ != alive) dead("read after its destruction");
        return number_;
    }
    friend bool operator==(const probe& a, const probe& b) noexcept { return a.number() == b.number(); }

private:
    static constexpr std::uint64_t alive = 0xA11FEA11FEA11FE5U;

    void touch() const noexcept {
        if (scheduler::weak()) scheduler::instance().touch(this);
    }
    static void dead(const char* what) { scheduler::instance().fail(std::string("a key or value was ") + what); }

    volatile std::uint64_t slot_word_ = alive; // volatile: a destructor's last store is otherwise no store
    std::uint64_t number_;
};

} // namespace explore
