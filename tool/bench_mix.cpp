#include "bench_mix.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

using bench::workload;

struct ingredient {
    std::string_view name;
    std::string_view about;
    unsigned workload::* share;
};
constexpr std::array ingredients{
    ingredient{"loads", "reads", &workload::loads},
    ingredient{"stores", "overwrites", &workload::stores},
    ingredient{"modifies", "read-modify-writes", &workload::modifies},
    ingredient{"lengths", "lengths of the whole map", &workload::lengths},
    ingredient{"walks", "walks over the whole map", &workload::walks},
    ingredient{"churn", "inserts and erases in turn", &workload::pairs},
};

[[noreturn]] void refuse_mix(std::string why) { throw usage_error("--mix: " + why + " (such as loads=80,stores=15,churn=5)"); }

unsigned percentage(std::string_view text, std::string_view of) {
    unsigned value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || rest != text.data() + text.size() || value > 100) {
        refuse_mix(fmt::format("'{}' of {} is not a whole percentage", text, of));
    }
    return value;
}

void add(workload& mix, std::string_view part, std::vector<std::string_view>& given) {
    const std::size_t sign = part.find('=');
    const std::string_view name = part.substr(0, sign);
    const auto found = std::ranges::find(ingredients, name, &ingredient::name);
    if (found == ingredients.end()) {
        std::vector<std::string_view> known;
        for (const ingredient& i : ingredients) known.push_back(i.name);
        refuse_mix(fmt::format("'{}' is none of {}", name, fmt::join(known, ", ")));
    }
    if (sign == std::string_view::npos) refuse_mix(fmt::format("{} has no percentage", name));
    if (std::ranges::find(given, name) != given.end()) refuse_mix(fmt::format("{} is given twice", name));
    given.push_back(name);
    mix.*found->share = percentage(part.substr(sign + 1), name);
}

} // namespace

std::shared_ptr<const own_mix> understand_mix(const std::string& text) {
    const auto mix = std::make_shared<own_mix>();
    mix->what.name = "mix";
    mix->what.keys = bench::choice::uniform;
    std::vector<std::string_view> given;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        add(mix->what, std::string_view(text).substr(at, end - at), given);
        at = end + 1;
    }
    unsigned sum = 0;
    std::vector<std::string> parts;
    for (const ingredient& i : ingredients) {
        const unsigned share = mix->what.*i.share;
        sum += share;
        if (share != 0) parts.push_back(fmt::format("{} % {}", share, i.about));
    }
    if (sum != 100) refuse_mix(fmt::format("the percentages sum to {}, not to 100", sum));
    mix->about = fmt::format("{}", fmt::join(parts, ", "));
    mix->what.about = mix->about;
    return mix;
}

} // namespace syncmap::tool
