// A request cache: many requests read the same profiles, now and then one is updated.
#include <atomic>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/map.hpp>

/// Profiles by id. The map is typed already; the class is here to speak the language of the program.
class profile_cache {
public:
    /// The profile, or nothing. A string_view is enough to ask: no std::string is made, hit or miss.
    std::optional<std::string> get(std::string_view id) const { return profiles_.load(id); }

    /// Adds a profile, or replaces the one that was there.
    void set(std::string_view id, std::string profile) { profiles_.store(id, std::move(profile)); }

    /// The profile that the cache holds, after setting it if it was missing; `loaded` says which. Atomic:
    /// of two threads that both miss, one sets, and both return that one's profile.
    syncmap::load_result<std::string> get_or_set(std::string_view id, std::string profile) {
        return profiles_.load_or_store(id, std::move(profile));
    }

    /// The lazy form: `fetch()` runs only when the profile is missing, and once, however many threads ask
    /// for it at the same moment. They wait for its answer; threads that ask for other ids do not.
    template <class Fetch>
    std::string get_or_fetch(std::string_view id, Fetch fetch) {
        return profiles_.load_or_compute(id, fetch).value;
    }

    /// Prints every profile. Other threads may go on changing the cache meanwhile.
    void print_all() const {
        profiles_.for_each(
            [](const std::string& id, const std::string& profile) { std::cout << id << ": " << profile << '\n'; });
    }

private:
    syncmap::map<std::string, std::string> profiles_;
};

int main() {
    profile_cache cache;
    cache.set("1", "Alice");
    cache.set("1", "Alice (admin)");

    std::atomic<int> setters = 0; // how many threads found user 2 missing
    std::atomic<int> fetches = 0; // how often the slow source was asked
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> requests;
        for (int request = 0; request < 8; ++request) {
            requests.emplace_back([&] {
                if (!cache.get_or_set("2", "Bob").loaded) ++setters;
                for (int user = 3; user < 8; ++user) {
                    const std::string id = std::to_string(user);
                    const auto profile = cache.get_or_fetch(id, [&] {
                        ++fetches; // here a real program would ask its database
                        return "guest " + id;
                    });
                    if (profile != "guest " + id) ++wrong;
                }
                if (cache.get("1") != "Alice (admin)" || cache.get("9")) ++wrong;
            });
        }
    }
    cache.print_all();
    std::cout << "8 threads: user 2 was set " << setters << " time, 5 guests were fetched " << fetches << " times\n";
    return setters == 1 && fetches == 5 && wrong == 0 ? 0 : 1;
}
