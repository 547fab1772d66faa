// What NVLink carried per execution, rank by rank.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/nvlink.h"
#include "fake_control.h"

namespace busbar {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::json;

gpu::Health seen(std::optional<std::uint64_t> tx, std::optional<std::uint64_t> rx, std::optional<std::uint64_t> crc) {
  gpu::Health health;
  health.nvlink.tx_bytes = tx;
  health.nvlink.rx_bytes = rx;
  health.nvlink.crc_errors = crc;
  return health;
}

struct Reading {
  std::optional<gpu::Health> before, after;
};

std::vector<Json> gathered(const std::vector<Reading>& by_rank, std::uint64_t executions) {
  std::vector<std::string> texts;
  fake::FakeWorld world(static_cast<int>(by_rank.size()));
  world.run([&](Control& control, fake::VirtualClock&) {
    const Reading& mine = by_rank.at(static_cast<std::size_t>(control.rank().value));
    auto told = gather_nvlink(control, mine.before, mine.after, executions);
    if (control.is_root()) texts = std::move(told);
  });
  std::vector<Json> found;
  for (const std::string& text : texts) found.push_back(Json::parse(text));
  return found;
}

TEST(Nvlink, BytesAreOfOneExecutionErrorsOfAll) {
  const auto told = gathered({{seen(1000, 0, 5), seen(5000, 8192, 7)}, {seen(0, 0, 0), seen(1, 0, 0)}}, 4);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0], Json::parse(R"({"tx_bytes": 1000.0, "rx_bytes": 2048.0, "crc_errors": 2,
                                     "replays": null, "recoveries": null})"));
  EXPECT_EQ(told[1].at("tx_bytes"), 0.25);
  EXPECT_EQ(told[1].at("rx_bytes"), 0.0);  // nothing passed, which is a figure
}

TEST(Nvlink, ACounterThatWentBackwardsTellsNothing) {
  const auto told = gathered({{seen(5000, 10, 9), seen(4000, 20, 0)}}, 1);
  EXPECT_TRUE(told.at(0).at("tx_bytes").is_null());
  EXPECT_EQ(told.at(0).at("rx_bytes"), 10.0);
  EXPECT_TRUE(told.at(0).at("crc_errors").is_null());
}

TEST(Nvlink, WhoTellsNothingIsNull) {
  const auto told = gathered({{std::nullopt, std::nullopt},
                              {seen({}, {}, {}), seen({}, {}, {})},
                              {seen(1, 1, 1), std::nullopt},
                              {seen(1, {}, {}), seen(1, {}, {})}},
                             1);
  EXPECT_THAT(std::vector<bool>({told[0].is_null(), told[1].is_null(), told[2].is_null(), told[3].is_null()}),
              ElementsAre(true, true, true, false));
}

}  // namespace
}  // namespace busbar
