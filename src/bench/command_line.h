// busbar-bench's command line, turned into requests for the server of points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/wanted.h"

namespace busbar {

enum class Mode { sweep, serve, plan, describe, aggregate };

struct CommandLine {
  Mode mode = Mode::sweep;
  std::string plan_file;
  std::string journal_file;
  double init_deadline_seconds = 120;
  int describe_ranks = 4;
  Wanted wanted;

  // A sweep: every combination of these, sizes innermost.
  std::vector<std::string> operations;
  std::uint64_t min_bytes = 8;
  std::uint64_t max_bytes = 1 << 20;
  std::uint64_t factor = 2;
  std::uint64_t step_bytes = 0;  ///< 0: by factor
  std::vector<std::string> datatypes{"float"};
  std::vector<std::string> redops{"sum"};
  int root = 0;
  std::string placement = "out";
  std::string timing = "isolated";
  bool graph = false;
  std::string registration = "none";
  std::vector<std::string> variants;
  std::string group;
  std::string split = "none";  ///< as in a request
  double relative_ci = 0.02;
  int min_samples = 0;  ///< 0: not given
  int max_samples = 1000;
  double max_seconds = 1.0;
  double deadline_seconds = 60;
  std::uint64_t seed = 1;
};

/// What the program is to do; nothing where --help or --version said it all.
/// @param loud whether this process prints: one of a launch does
/// @throws UsageError for what is unknown or contradicts itself.
std::optional<CommandLine> parse_command_line(int argc, const char* const* argv, bool loud);

/// "16M" -> 16777216; K, M and G are powers of 1024. @throws UsageError.
std::uint64_t parse_size(const std::string& text);

/// "name:key=value,key=value" as the JSON of a variant. @throws UsageError.
std::string variant_json(const std::string& text);

/// The sweep as request lines for a group of `ranks` ranks; sizes are raised to the next that the operation can carry,
/// and sizes that thereby fall together are asked for once.
std::vector<std::string> sweep_requests(const CommandLine& line, int ranks);

/// The operations' metadata as JSON, for `ranks` ranks.
std::string describe(int ranks);

}  // namespace busbar
