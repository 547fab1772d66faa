// A request as a client writes it: one visit of one point under some variants. See results/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/group.h"
#include "core/datatype.h"
#include "core/units.h"
#include "measure/stopping.h"
#include "transport/transport.h"

namespace busbar {

enum class Timing : std::uint8_t { isolated, pipelined };
std::string_view name(Timing timing);

struct Variant {
  std::string name;
  Settings settings;
};

/// Until both are reached, untimed.
struct Warmup {
  int min_samples = 2;
  double min_seconds = 0.02;
};

struct PointRequest {
  const Collective* collective = nullptr;
  Bytes size;
  DataType type = DataType::float32;
  std::optional<RedOp> redop;
  std::optional<Rank> root;
  bool in_place = false;
  Timing timing = Timing::isolated;
  bool graph = false;
  Registration registration = Registration::none;
  Group group;
};

struct VisitRequest {
  std::int64_t request = 0;
  int round = 0;
  std::uint64_t seed = 1;
  PointRequest point;
  std::vector<Variant> variants;
  StoppingLimits stopping;
  Warmup warmup;
  double rest_us = 0;  ///< between two samples, at least
  double deadline_seconds = 60;
  /// Whether buffers hold data. Without it nothing is computed or verified: only a simulator can still tell the time.
  bool payload = true;
};

/// What one line asks for: a visit, or to quit.
struct Line {
  bool quit = false;
  VisitRequest visit;
};

/// Reads one request line for a launch whose ranks run on `hosts`, with the group's members and parts filled in.
/// @throws UsageError: one sentence that names the culprit and what is accepted. A visit's number is kept in
/// `request_id` as soon as it is known, so that the refusal can name it.
Line parse_request(std::string_view text, const std::vector<std::string>& hosts,
                   std::optional<std::int64_t>& request_id);

/// The bytes that `size_bytes` must be a multiple of for this operation and group: element size, times the ranks where
/// the size is a total.
Bytes granularity(const Collective& collective, DataType type, int ranks);

}  // namespace busbar
