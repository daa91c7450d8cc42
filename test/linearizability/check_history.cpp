// check-history: reads a recorded history, from a file or from standard input, and says whether it is linearizable.
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

#include "linearizability/file.hpp"
#include "linearizability/history.hpp"

namespace {

constexpr int linearizable = 0, not_linearizable = 1, unusable = 2;

int judge(std::istream& in, const std::string& name) {
    using namespace linearizability;
    history recorded;
    try {
        recorded = read_history(in);
    } catch (const malformed_history& error) {
        std::cerr << "check-history: " << name << ':' << error.line << ": " << error.what() << '\n';
        return unusable;
    }
    const verdict result = check(recorded);
    if (!result.linearizable()) {
        std::cout << result.trouble;
        return not_linearizable;
    }
    std::cout << result.checked << " calls on " << recorded.initial.size() << " keys: linearizable\n";
    return linearizable;
}

} // namespace

int main(int count, char** arguments) {
    const std::string name = count > 1 ? arguments[1] : "-";
    if (count > 2 || name == "--help" || name == "-h") {
        (count > 2 ? std::cerr : std::cout)
            << "Usage: check-history [FILE]\n\n"
               "Reads a history as docs/history-format.md tells, from standard input without FILE, and says whether it is\n"
               "linearizable. Exit status: 0 it is, 1 it is not, 2 the file cannot be read.\n";
        return count > 2 ? unusable : linearizable;
    }
    try {
        if (name == "-") return judge(std::cin, "standard input");
        std::ifstream file(name);
        if (!file || file.peek() == std::ifstream::traits_type::eof()) {
            std::cerr << "check-history: " << name << ": cannot be read, or is empty\n";
            return unusable;
        }
        return judge(file, name);
    } catch (const std::exception& error) {
        std::cerr << "check-history: " << name << ": " << error.what() << '\n';
        return unusable;
    }
}
