// Tags: all pages that show one author are invalidated at once, whatever their number, when the author's name changes.
#include <cstdio>
#include <map>
#include <string>

#include <syncmap/cache.hpp>

struct page {
    int author;
    std::string text;
};

int main() {
    std::map<int, std::string> authors{{1, "Ann"}, {2, "Bob"}}; // what a database has
    syncmap::cache<std::string, page> pages({
        .capacity = 1'000,
        .tags_of = [](const std::string&, const page& p) { return syncmap::entry_tags{p.author, "page"}; },
    });
    int made = 0;
    const auto show = [&](const std::string& url, int author) {
        return pages
            .get_or_load(url,
                         [&] {
                             ++made;
                             return page{author, url + " by " + authors.at(author)};
                         })
            .text;
    };
    for (const char* url : {"/a", "/b", "/c"}) show(url, 1);
    show("/d", 2);

    authors[1] = "Anna";
    pages.invalidate_tag(1); // beats loads that began before, too
    std::printf("%s, %s\n", show("/a", 1).c_str(), show("/d", 2).c_str());
    if (show("/a", 1) != "/a by Anna" || made != 5) return 1;

    pages.invalidate_tag("page"); // the layout has changed
    std::printf("%s\n", show("/d", 2).c_str());
    return made == 6 ? 0 : 1;
}
