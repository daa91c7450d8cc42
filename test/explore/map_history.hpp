// Histories of a map, and their checker: those of test/linearizability.
#pragma once

#include "linearizability/call.hpp"
#include "linearizability/contents.hpp"
#include "linearizability/small.hpp"
#include "linearizability/text.hpp"

namespace explore {
using namespace linearizability;
}
