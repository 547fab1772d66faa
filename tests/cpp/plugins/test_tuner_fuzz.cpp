// A million tables that nobody should write, through the library that NCCL loads. Whatever the table: no crash and no
// error towards NCCL; either it is a table, or setting it fails with a sentence; nothing that is not available becomes
// so, at most one cost changes, channels stay within 0 to 64; and what is decided is what the rule says.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "plugins/abi/tuner.h"
#include "plugins/plugin_library.h"
#include "plugins/table_mutations.h"
#include "plugins/tuner/decision.h"
#include "plugins/tuner_api.h"

namespace busbar::plugins::test {
namespace {

using namespace nccl_abi;

#ifdef BUSBAR_SANITIZED
constexpr int tables = 20'000;
#else
constexpr int tables = 1'000'000;
#endif
constexpr std::size_t nodes = 2;
constexpr std::size_t ranks = 16;

using Costs21 = std::array<float, algorithms * protocols>;

/// Every third combination is not available, another third each time.
Costs21 costs_of(std::uint64_t turn) {
  Costs21 costs{};
  for (std::size_t i = 0; i < costs.size(); ++i) costs[i] = (i + turn) % 3 == 0 ? not_available : 10.0F;
  return costs;
}

class Plugin {
 public:
  Plugin()
      : library_(BUSBAR_TUNER_PLUGIN),
        tuner_(*library_.symbol<const TunerV5>("ncclTunerPlugin_v5")),
        set_table_(library_.symbol<decltype(busbar_tuner_set_table)>("busbar_tuner_set_table")) {}

  /// "" where the text is a table.
  std::string set(const std::string& text) {
    error_[0] = '\0';
    const int result = set_table_(text.c_str(), error_.data(), error_.size());
    if ((result == 0) != (error_[0] == '\0')) return "the result and the error do not agree";
    return result == 0 ? "" : error_.data();
  }

  bool init(void*& context) {
    NvlDomains domains{2, 8, 8};
    TunerConstants constants{};
    return tuner_.init(&context, 1, ranks, nodes, nullptr, &domains, &constants) == success;
  }
  bool ask(void* context, const Question& question, Costs21& costs, int& channels) {
    return tuner_.get_coll_info(context, question.function, question.bytes, question.pipe_ops,
                                reinterpret_cast<float**>(costs.data()), algorithms, protocols,
                                *question.registered ? 1 : 0, &channels) == success;
  }
  bool finalize(void* context) { return tuner_.finalize(context) == success; }

 private:
  PluginLibrary library_;
  const TunerV5& tuner_;
  decltype(busbar_tuner_set_table)* set_table_;
  std::array<char, 300> error_{};
};

/// "" where an answer is one that NCCL can live with, whatever the table.
std::string check(const Costs21& before, const Costs21& after, int channels) {
  int changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    if (before[i] < 0.0F || after[i] != 0.0F) return "a cost became what it must not";
    ++changed;
  }
  if (changed > 1) return "several costs changed";
  return channels < 0 || channels > max_channels ? "channels out of range" : "";
}

/// "" where it is what the rule says of these rows.
std::string compare(const std::vector<Row>& rows, const Question& question, const Costs21& before, const Costs21& after,
                    int channels) {
  Costs21 expected = before;
  int expected_channels = 0;
  Costs costs(expected.data(), algorithms, protocols);
  const Decision rule = decide(rows, question, costs);
  if (rule.row != nullptr) {
    costs.choose(rule.row->algorithm, rule.row->protocol);
    if (rule.row->channels && checks_channels(rule.row->algorithm, nodes)) expected_channels = *rule.row->channels;
  }
  if (after != expected) return "the costs are not those of the rule";
  return channels != expected_channels ? "the channels are not those of the rule" : "";
}

/// One table, set, asked about three collectives; "" where all is well. Every fourth table that is accepted is held
/// against the rule, which takes longer than the plugin.
std::string survive(Plugin& plugin, TableMutations& mutations, std::uint64_t turn, int& accepted) {
  const std::string& text = mutations.next();
  const std::string refused = plugin.set(text);
  if (refused.starts_with("the result")) return refused;
  std::optional<std::vector<Row>> rows;
  if (refused.empty() && ++accepted % 4 == 0) rows = rows_for(parse_table(text), nodes, ranks);
  void* context = nullptr;
  if (!plugin.init(context)) return "init failed";
  for (std::uint64_t i = 0; i < 3; ++i) {
    const Question question{.function = static_cast<Function>(mutations.below(tuned_functions)),
                            .bytes = std::uint64_t{1} << mutations.below(36U),
                            .pipe_ops = static_cast<int>(1 + mutations.below(3)),
                            .registered = mutations.below(2) == 0};
    const Costs21 before = costs_of(turn + i);
    Costs21 after = before;
    int channels = 0;
    if (!plugin.ask(context, question, after, channels)) return "an error towards NCCL";
    std::string trouble = check(before, after, channels);
    if (trouble.empty() && rows) trouble = compare(*rows, question, before, after, channels);
    if (!trouble.empty()) return trouble;
  }
  return plugin.finalize(context) ? "" : "finalize failed";
}

class TunerFuzz : public testing::TestWithParam<int> {};

TEST_P(TunerFuzz, SurvivesAnyTable) {
  Plugin plugin;
  TableMutations mutations(static_cast<std::uint64_t>(GetParam()));
  int accepted = 0;
  constexpr int share = tables / 4;
  for (int i = 0; i < share; ++i) {
    const std::string trouble = survive(plugin, mutations, static_cast<std::uint64_t>(i), accepted);
    ASSERT_EQ(trouble, "") << "seed " << GetParam() << ", table " << i;
  }
  EXPECT_GT(accepted, share / 10);
  EXPECT_GT(share - accepted, share / 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TunerFuzz, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace busbar::plugins::test
