// Recipe: keys of your own types. One line names the members, and the map hashes them; == comes from the compiler.
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include <syncmap/map.hpp>

struct endpoint {
    std::string host;
    std::uint16_t port;

    bool operator==(const endpoint&) const = default;
    friend auto syncmap_members(const endpoint& e) { return std::tie(e.host, e.port); }
};

// Members of such types are hashed like any others, and so are pairs, tuples, arrays, optionals and variants of them.
struct route {
    endpoint from;
    endpoint to;
    std::optional<int> priority;

    bool operator==(const route&) const = default;
    friend auto syncmap_members(const route& r) { return std::tie(r.from, r.to, r.priority); }
};

// A type that cannot be changed gets a hash object beside it. It names members as well, or hashes in its own way.
namespace vendor {
struct version {
    int major_number, minor_number;
    bool operator==(const version&) const = default;
};
} // namespace vendor
struct version_hash {
    std::size_t operator()(const vendor::version& v, const syncmap::hash_seed& seed) const {
        return syncmap::hash<std::pair<int, int>>{}({v.major_number, v.minor_number}, seed);
    }
};

int main() {
    const endpoint here{"10.0.0.1", 80}, there{"10.0.0.2", 443};

    syncmap::map<endpoint, int> connections;
    connections.fetch_add(here, 1);
    connections.fetch_add({"10.0.0.1", 80}, 1);

    syncmap::map<route, std::string> routes;
    routes.store({here, there, 7}, "eth0");
    routes.store({here, there, std::nullopt}, "eth1");

    syncmap::map<std::pair<endpoint, std::array<int, 2>>, int> pairs;
    pairs.store({here, {1, 2}}, 3);
    syncmap::map<std::variant<int, std::string>, int> numbers_and_names;
    numbers_and_names.store(std::string("seven"), 7);

    syncmap::map<vendor::version, std::string, version_hash> notes;
    notes.store({1, 2}, "second");

    const bool right = connections.load(here) == 2 && routes.load({here, there, 7}) == "eth0" && routes.size() == 2 &&
                       pairs.load({here, {1, 2}}) == 3 && numbers_and_names.contains(std::string("seven")) &&
                       notes.load({1, 2}) == "second";
    std::puts(right ? "every key was found again" : "a key was lost");
    return right ? 0 : 1;
}
