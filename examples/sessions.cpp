// Recipe: change a value that depends on the old one, without a lock: look, build the new one, exchange, or retry.
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <syncmap/map.hpp>

struct session {
    std::string last_page;
    int requests = 0;

    bool operator==(const session&) const = default; // compare_exchange compares whole values
};

int main() {
    syncmap::map<std::string, session> sessions;
    const auto touch = [&sessions](const std::string& id, const std::string& page) {
        std::optional<session> seen = sessions.load(id); // absence is a state like any other: an empty optional
        for (bool done = false; !done;) {
            const int requests = seen ? seen->requests : 0;
            // Succeeds only if the session is still as seen; if not, `seen` is now what it became.
            done = sessions.compare_exchange(id, seen, session{page, requests + 1});
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&touch] {
                for (int i = 0; i < 1'000; ++i) touch("c0ffee", "/page/" + std::to_string(i));
            });
        }
    }
    const session last = sessions.load("c0ffee").value_or(session{});
    std::cout << "c0ffee: " << last.requests << " requests, the last one to " << last.last_page << '\n';
    return last.requests == 4'000 ? 0 : 1;
}
