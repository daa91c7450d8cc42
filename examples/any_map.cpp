// The program that every tutorial of Go's sync.Map starts with, on the map of any keys and any values.
#include <iostream>
#include <string>

#include <syncmap/any_map.hpp>

int main() {
    // Any number of threads may use it, and no mutex is needed beside it.
    syncmap::any_map m;

    // Keys and values are of any type, and the types may differ from entry to entry.
    m.store("user:1", "Alice");
    m.store(42, 3.14);

    // load tells whether the key is there; what type its value has is asserted, as with Go's val.(string).
    if (const auto value = m.load("user:1")) {
        const std::string& name = value->as<std::string>();
        std::cout << name << '\n';
    }

    // A wrong assertion is no crash but an exception that says what is wrong; get_if asks without one ("comma ok").
    const auto value = m.load(42);
    bool refused = false;
    try {
        std::cout << value->as<std::string>() << '\n';
    } catch (const syncmap::bad_assertion& error) {
        std::cout << error.what() << '\n';
        refused = true;
    }
    if (const double* const number = value->get_if<double>()) std::cout << *number << '\n';

    // Erase the key, and it is gone.
    m.erase("user:1");
    return refused && !m.contains("user:1") && m.size() == 1 ? 0 : 1;
}
