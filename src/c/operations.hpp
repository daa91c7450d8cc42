// The operations on one key, in the form that engines take them (operation/write_operation.hpp). The facade has its own; these
// tell besides whether a handle went, compare with what C passes, and so make no value that is not stored.
#pragma once

#include <syncmap.h>

#include <atomic>
#include <cstdint>
#include <exception>

#include <syncmap/operation/write_operation.hpp>

#include "value.hpp"

namespace syncmap::dynamic {

/// What every write remembers. `decide` may run several times, of which the last one counts: it sets all of it anew.
struct write_outcome {
    static constexpr bool depends_on_current = false;
    static constexpr bool runs_user_code = true; // handles are released, memory is allocated
    static constexpr std::memory_order order = std::memory_order_seq_cst;

    bool found = false;
    bool changed = false;
    bool displaced_handle = false; ///< a value that was a handle went
    value seen{};                  ///< what the operation returns

protected:
    decision decided(const value* current, decision d) noexcept {
        found = current != nullptr;
        changed = d == decision::assign || (d == decision::erase && found);
        displaced_handle = changed && found && current->is_handle();
        return changed ? d : decision::keep;
    }
};

/// store and exchange.
struct put : write_outcome {
    static constexpr bool may_assign = true;
    const syncmap_value& desired;
    const bool wants_previous;

    put(const syncmap_value& v, bool previous) noexcept : desired(v), wants_previous(previous) {}

    decision decide(const value* current) noexcept {
        if (wants_previous) seen = current != nullptr ? *current : value();
        return decided(current, decision::assign);
    }
    value make() const { return value(desired); }
};

struct put_if_absent : write_outcome {
    static constexpr bool may_assign = true;
    const syncmap_value& desired;

    explicit put_if_absent(const syncmap_value& v) noexcept : desired(v) {}

    decision decide(const value* current) {
        if (current != nullptr) {
            seen = *current;
            return decided(current, decision::keep);
        }
        if (own_.kind() == SYNCMAP_NIL) own_ = value(desired);
        seen = own_;
        return decided(current, decision::assign);
    }
    value make() const noexcept { return own_; }

private:
    value own_{};
};

/// erase and load_and_erase.
struct take : write_outcome {
    static constexpr bool may_assign = false;
    const bool wants_previous;

    explicit take(bool previous) noexcept : wants_previous(previous) {}

    decision decide(const value* current) noexcept {
        if (wants_previous) seen = current != nullptr ? *current : value();
        return decided(current, decision::erase);
    }
    [[noreturn]] value make() const noexcept { std::terminate(); }
};

struct compare : write_outcome {
    const syncmap_value& expected;

    explicit compare(const syncmap_value& v) noexcept : expected(v) {}

protected:
    decision compared(const value* current, decision success) noexcept {
        const bool is_equal = current != nullptr && equal(*current, expected);
        seen = current == nullptr || is_equal ? value() : *current;
        return decided(current, is_equal ? success : decision::keep);
    }
};

struct compare_put : compare {
    static constexpr bool may_assign = true;
    const syncmap_value& desired;

    compare_put(const syncmap_value& e, const syncmap_value& d) noexcept : compare(e), desired(d) {}

    decision decide(const value* current) noexcept { return compared(current, decision::assign); }
    value make() const { return value(desired); }
};

struct compare_take : compare {
    static constexpr bool may_assign = false;
    using compare::compare;

    decision decide(const value* current) noexcept { return compared(current, decision::erase); }
    [[noreturn]] value make() const noexcept { std::terminate(); }
};

/// fetch_add: the operand is a number.
struct add : write_outcome {
    static constexpr bool depends_on_current = true;
    static constexpr bool may_assign = true;
    const syncmap_value& operand;
    bool is_other_kind = false; ///< there is a value, and it is not of the operand's kind

    explicit add(const syncmap_value& v) noexcept : operand(v) {}

    decision decide(const value* current) noexcept {
        is_other_kind = current != nullptr && current->kind() != operand.kind;
        if (current != nullptr && !is_other_kind) {
            seen = *current;
        } else {
            syncmap_value zero{};
            zero.kind = operand.kind;
            seen = value(zero);
        }
        return decided(current, is_other_kind ? decision::keep : decision::assign);
    }
    value make() const noexcept {
        syncmap_value sum = seen.shown();
        switch (operand.kind) {
        case SYNCMAP_INT: // wraps around
            sum.as.integer = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum.as.integer) +
                                                       static_cast<std::uint64_t>(operand.as.integer));
            break;
        case SYNCMAP_UINT: sum.as.natural += operand.as.natural; break;
        default: sum.as.real += operand.as.real; break;
        }
        return value(sum);
    }
};

} // namespace syncmap::dynamic
