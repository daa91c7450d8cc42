// Whatever a file holds that a cache is to load: read to its end, or refused with a sentence; and no more memory is taken
// than a few times its bytes, whatever lengths it names.
//
// Input: one byte: 0, the rest is a file; else the rest is the content of its block, with right checksums, and that number of
// entries.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <syncmap/cache/saved_entry.hpp>

namespace {

std::size_t allocated = 0;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

using key = std::string;
using value = std::vector<std::pair<std::string, bool>>;

void load(std::string_view file) {
    using syncmap::cache_detail::saved_entry;
    syncmap::cache_detail::snapshot_reader reader(
        [&](char* to, std::size_t size) {
            const std::size_t n = file.copy(to, size);
            file.remove_prefix(n);
            return n;
        },
        "k -> v");
    while (reader.next_block()) {
        saved_entry::each_in<key, value>(reader, [](saved_entry& e) {
            const key k = saved_entry::made_of<key>(e.key);
            const value v = saved_entry::made_of<value>(e.value);
            if (k.size() > e.key.size() || v.size() > e.value.size()) fail("more than there is");
            static_cast<void>(e.times.pass(1));
            return true;
        });
    }
    reader.expect_end();
}

std::string file_of(std::string_view content, unsigned entries) {
    std::string file;
    syncmap::cache_detail::snapshot_writer writer([&](const char* from, std::size_t size) { file.append(from, size); },
                                                  "k -> v", 1, 1);
    writer.buffer().append(content);
    for (unsigned i = 0; i < entries; ++i) writer.entry_written();
    writer.end();
    return file;
}

} // namespace

void* operator new(std::size_t size) {
    allocated += size;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] != 0) file = file_of(file, data[0]);
    allocated = 0;
    try {
        load(file);
    } catch (const syncmap::snapshot_refused& refused) {
        if (std::string_view(refused.what()).size() < 40) fail("an error without a sentence");
    }
    // A file's length may lie once, which costs one step; a string of 8 bytes in the file is an object of 40.
    if (allocated > (std::size_t{2} << 20) + 100 * file.size()) fail("more memory than the file is long");
    return 0;
}
