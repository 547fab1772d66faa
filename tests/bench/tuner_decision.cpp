// How long the tuner plugin takes to decide, through the library as NCCL loads and calls it.
//
//   tuner_decision [ROWS...]
//
// NCCL asks on every enqueue of every collective, on the thread that launches kernels: a decision must be nothing
// beside a launch. Tables of several lengths: 135 rows are five functions of 27 sizes, what tuning leaves; the longer
// ones show that length hardly matters. Sizes are drawn beforehand, evenly over their logarithms, functions at random.
// A round asks some thousand times; the figure is the median of the rounds, in nanoseconds of one question. Beside it,
// the same by a walk through all rows. Exits 1 if the plugin takes 100 ns or more with any table.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "measure/clock.h"
#include "measure/statistics.h"
#include "plugins/abi/tuner.h"
#include "plugins/tuner/decision.h"
#include "plugins/tuner_api.h"

namespace {

using namespace busbar;
using namespace busbar::nccl_abi;

constexpr double limit_ns = 100;
constexpr std::size_t questions = 4096;
constexpr int rounds = 51;
constexpr double largest_exponent = 34;  // 16 GiB
constexpr std::size_t ranks = 32;
constexpr std::size_t nodes = 4;

struct Asked {
  Function function;
  std::size_t bytes;
};

std::vector<Asked> draw() {
  std::mt19937 random(20261122);
  std::uniform_real_distribution<double> exponent(0, largest_exponent);
  std::vector<Asked> asked(questions);
  for (Asked& one : asked) {
    one = {static_cast<Function>(random() % tuned_functions), static_cast<std::size_t>(std::exp2(exponent(random)))};
  }
  return asked;
}

/// Ranges side by side for every function, as tuning leaves them, for this communicator and for another.
std::string table_of(std::size_t rows) {
  constexpr std::array functions = {"broadcast", "reduce", "allgather", "reducescatter", "allreduce"};
  constexpr std::array choices = {"ring,ll", "ring,ll128", "tree,ll128", "ring,simple"};
  const std::size_t ranges = rows / functions.size();
  std::string table;
  for (const char* function : functions) {
    std::size_t from = 0;
    for (std::size_t r = 0; r < ranges; ++r) {
      const double share = static_cast<double>(r + 1) / static_cast<double>(ranges);
      const auto to = std::max(from, static_cast<std::size_t>(std::exp2(share * largest_exponent)));
      table += fmt::format("{},{},{},{},{},{},{}\n", function, from, to, choices[r % choices.size()], r % 64 + 1, nodes,
                           r % 50 == 49 ? ranks + 1 : ranks);
      from = to + 1;
    }
  }
  return table;
}

/// Nanoseconds of one question, the median of the rounds.
template <class Ask>
double timed(const std::vector<Asked>& asked, const Ask& ask) {
  const MonotonicClock clock(false);
  std::vector<double> ns;
  for (int round = 0; round < rounds; ++round) {
    const Nanoseconds begin = clock.now();
    for (const Asked& one : asked) ask(one);
    ns.push_back(as_us(clock.now() - begin) * 1e3 / static_cast<double>(asked.size()));
  }
  return median(ns);
}

class Tuner {
 public:
  explicit Tuner(const char* file) : handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
    tuner_ = static_cast<const TunerV5*>(dlsym(handle_, "ncclTunerPlugin_v5"));
    set_table_ = reinterpret_cast<decltype(busbar_tuner_set_table)*>(dlsym(handle_, "busbar_tuner_set_table"));
  }
  double ask(const std::string& table, const std::vector<Asked>& asked) const {
    std::array<char, 200> error{};
    if (set_table_(table.c_str(), error.data(), error.size()) != 0) throw std::runtime_error(error.data());
    void* context = nullptr;
    NvlDomains domains{4, 8, 8};
    TunerConstants constants{};
    tuner_->init(&context, 1, ranks, nodes, nullptr, &domains, &constants);
    std::array<float, algorithms * protocols> costs{};
    costs.fill(10.0F);
    const double ns = timed(asked, [&](const Asked& one) {
      int channels = 0;
      tuner_->get_coll_info(context, one.function, one.bytes, 1, reinterpret_cast<float**>(costs.data()), algorithms,
                            protocols, 0, &channels);
    });
    tuner_->finalize(context);
    return ns;
  }

 private:
  void* handle_;
  const TunerV5* tuner_ = nullptr;
  decltype(busbar_tuner_set_table)* set_table_ = nullptr;
};

double walk(const std::string& table, const std::vector<Asked>& asked) {
  const auto rows = plugins::rows_for(plugins::parse_table(table), nodes, ranks);
  std::array<float, algorithms * protocols> costs{};
  plugins::Costs available(costs.data(), algorithms, protocols);
  volatile std::size_t decided = 0;
  return timed(asked, [&](const Asked& one) {
    const auto decision = plugins::decide(rows, {one.function, one.bytes, 1, false}, available);
    decided = decided + (decision.row == nullptr ? 0 : 1);
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> lengths;
  for (int i = 1; i < argc; ++i) lengths.push_back(std::stoul(argv[i]));
  if (lengths.empty()) lengths = {5, 135, 1000, 10'000};
  const Tuner tuner(BUSBAR_TUNER_PLUGIN);
  const std::vector<Asked> asked = draw();
  bool holds = true;
  for (const std::size_t rows : lengths) {
    const std::string table = table_of(rows);
    const double ns = tuner.ask(table, asked);
    holds = holds && ns < limit_ns;
    fmt::print("{:6} rows: {:6.1f} ns a decision (wanted: below {:.0f}); a walk through the rows: {:.0f} ns\n", rows,
               ns, limit_ns, walk(table, asked));
  }
  return holds ? 0 : 1;
}
