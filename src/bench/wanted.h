// What the command line asks to measure with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace busbar {

struct Wanted {
  std::string transport = "mpi";
  int threads = 1;                   ///< worker ranks of each process
  std::vector<std::string> trees{};  ///< as tree::wire takes them
};

/// Names that `Wanted::transport` may have in this build.
std::vector<std::string_view> transports();

}  // namespace busbar
