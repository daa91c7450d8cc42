// What every consumer project builds: the map is found, stores and loads, from a second thread too.
#include <string>
#include <thread>

#include <syncmap/map.hpp>
#include <syncmap/version.hpp>

int main() {
    syncmap::map<std::string, int> ports;
    std::thread([&] { ports.store("http", 80); }).join();
    return ports.load("http") == 80 && !ports.contains("gopher") ? 0 : 1;
}
