// Recipe: a cache that takes a bounded number of bytes, whatever the entries are, and gives memory back while the program runs.
#include <cstddef>
#include <iostream>
#include <string>

#include <syncmap/cache.hpp>

int main() {
    syncmap::cache<std::string, std::string> thumbnails({
        .capacity = 1'000'000, // bytes
        .weigh = syncmap::bytes_of, // of an entry: its node, and what key and value own
    });

    for (int i = 0; i < 10'000; ++i) thumbnails.put("picture " + std::to_string(i), std::string(100 + i % 900, '.'));
    const std::size_t kept = thumbnails.size();
    std::cout << kept << " of 10,000 entries take " << thumbnails.weight() << " of 1,000,000 bytes\n";
    if (thumbnails.weight() > 1'000'000) return 1;

    // What weighs more than all of it is not stored.
    if (thumbnails.put("poster", std::string(2'000'000, '.'))) return 1;

    // When memory is short: entries leave until the rest fits.
    thumbnails.set_capacity(100'000);
    std::cout << thumbnails.size() << " entries are left, with " << thumbnails.weight() << " bytes\n";
    return thumbnails.weight() <= 100'000 && thumbnails.size() < kept ? 0 : 1;
}
