// A progress bar on stderr, for people: nothing is written where stderr is no terminal.
#pragma once

#include <string_view>

namespace syncmap::tool {

class progress_bar {
public:
    progress_bar();
    ~progress_bar() { clear(); }
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;

    /// `share` from 0 to 1, and what is being done.
    void show(double share, std::string_view what);
    /// Takes the bar away, so that other text can be written.
    void clear();

private:
    bool watched_;
    bool visible_ = false;
};

} // namespace syncmap::tool
