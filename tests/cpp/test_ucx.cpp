#ifdef BUSBAR_HAS_UCX
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "collectives/registry.h"
#include "core/error.h"
#include "transport/ucx/flow.h"
#include "transport/ucx/settings.h"
#include "transport/ucx/ways.h"

namespace busbar::ucx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Permission::Kind;

constexpr Span recv_whole{BufferId::recv, 0, 8};
constexpr Span recv_half{BufferId::recv, 4, 4};
constexpr Span send_whole{BufferId::send, 0, 8};
constexpr Span scratch_whole{BufferId::scratch, 0, 8};
constexpr Rank peer{1};
constexpr Rank other{2};

class Given final : public Schedules {
 public:
  explicit Given(std::map<Rank, Schedule> schedules) : schedules_(std::move(schedules)) {}
  const Schedule& of(Rank rank) override { return schedules_[rank]; }

 private:
  std::map<Rank, Schedule> schedules_;
};

/// Of a schedule whose peers run every execution to its end.
std::vector<Kind> kinds(const Schedule& own) {
  const Schedule patient{.steps = {Step{}, Step{}}, .scratch_elements = 0};
  Given schedules({{Rank{0}, own}, {peer, patient}, {other, patient}});
  std::vector<Kind> found;
  for (const Permission& p : permissions(schedules, Rank{0})) found.push_back(p.kind);
  return found;
}

Step step(std::vector<Send> sends, std::vector<Receive> receives) {
  return {.before = {}, .sends = std::move(sends), .receives = std::move(receives), .after = {}};
}

LocalWork copy(Span from, Span to) { return {.kind = LocalWork::Kind::copy, .source = from, .destination = to}; }

TEST(UcxFlow, OneStepWithoutWorkStreams) {
  EXPECT_TRUE(streams({{step({{peer, send_whole}}, {{peer, recv_whole}})}}));
  EXPECT_FALSE(streams({})) << "nothing";
  EXPECT_FALSE(streams({{step({{peer, send_whole}}, {}), step({}, {{peer, recv_whole}})}})) << "an order to keep";
  EXPECT_FALSE(streams({{step({{peer, recv_half}}, {{peer, recv_whole}})}})) << "sends what it receives";
  Step works = step({}, {{peer, scratch_whole}});
  works.after.push_back(copy(scratch_whole, recv_whole));
  EXPECT_FALSE(streams({{works}})) << "computes";
}

TEST(UcxFlow, AMessageThatNobodyReadsMayAlwaysBeOverwrittenByTheNext) {
  EXPECT_THAT(kinds({{step({}, {{peer, recv_whole}})}}), ElementsAre(Kind::always));
}

TEST(UcxFlow, APeerThatGetsTheMessageBackKnowsThatItHasBeenRead) {
  const Schedule echo{{step({}, {{peer, recv_whole}}), step({{peer, recv_whole}}, {})}};
  EXPECT_THAT(kinds(echo), ElementsAre(Kind::always));
  // Not where it goes to somebody else, nor where the peer does not wait for it.
  EXPECT_THAT(kinds({{step({}, {{peer, recv_whole}}), step({{other, recv_whole}}, {})}}),
              ElementsAre(Kind::when_fresh));
  Given hasty({{Rank{0}, echo}, {peer, {{step({{peer, send_whole}}, {{peer, recv_whole}})}}}});
  EXPECT_EQ(permissions(hasty, Rank{0}).at(0).kind, Kind::when_fresh);
}

TEST(UcxFlow, MemoryInUseAwaitsTheStepThatFreesIt) {
  Step first = step({}, {{peer, scratch_whole}});
  first.after.push_back(copy(scratch_whole, recv_whole));
  Schedule own{{first, step({{other, send_whole}}, {}), step({}, {{peer, scratch_whole}})}};
  own.steps[2].after.push_back(copy(scratch_whole, recv_whole));
  Given schedules({{Rank{0}, own}});
  const auto found = permissions(schedules, Rank{0});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, Kind::when_fresh);
  EXPECT_EQ(found[1].kind, Kind::when_told);
  EXPECT_EQ(found[1].step, 1U) << "free as soon as the first step's work is done";
}

TEST(UcxFlow, WorkBeforeAStepUsesMemoryToo) {
  Step only = step({}, {{peer, recv_half}});
  only.before.push_back(copy(send_whole, recv_whole));
  EXPECT_THAT(kinds({{only}}), ElementsAre(Kind::when_told));
}

TEST(UcxFlow, PermissionsOfOneSenderKeepTheOrderOfItsMessages) {
  Step first = step({}, {{peer, scratch_whole}});
  first.before.push_back(copy(send_whole, scratch_whole));  // until then in use
  Step second = step({}, {{peer, recv_whole}});
  second.after.push_back(copy(recv_whole, scratch_whole));
  EXPECT_THAT(kinds({{first, second}}), ElementsAre(Kind::when_told, Kind::when_told));
}

TEST(UcxFlow, MeasuredPointToPointNeverAsks) {
  for (const char* const name : {"ping_pong", "one_way", "send_recv", "bidirectional"}) {
    const Shape shape{.ranks = 2, .root = Rank{0}, .elements = 64};
    const Collective& collective = find_collective(name);
    Given schedules({{Rank{0}, collective.schedule(shape, Rank{0})}, {Rank{1}, collective.schedule(shape, Rank{1})}});
    for (const int rank : {0, 1}) {
      for (const Permission& p : permissions(schedules, Rank{rank})) EXPECT_EQ(p.kind, Kind::always) << name << rank;
    }
  }
}

std::string parse_error(const Settings& settings) {
  try {
    VariantSettings::parse(settings);
  } catch (const UsageError& problem) {
    return problem.what();
  }
  return "";
}

TEST(UcxSettings, UnknownKeysAndValuesAreNamed) {
  EXPECT_THAT(parse_error({{"colour", "red"}}), HasSubstr("unknown variant key 'colour'; accepted: method, window"));
  EXPECT_THAT(parse_error({{"method", "Put"}}), HasSubstr("accepted: tag, put, get, am"));
  EXPECT_THAT(parse_error({{"in_network", "sharp"}}), HasSubstr("accepted: off"));
  for (const char* const window : {"", "0", "-1", "8x", "4097", "99999999999999999999"}) {
    EXPECT_THAT(parse_error({{"window", window}}), HasSubstr("accepted: 1 to 4096")) << window;
  }
}

TEST(UcxSettings, HaveDefaultsAndCarryWhatIsAsked) {
  EXPECT_EQ(VariantSettings::parse({}).method, Method::tag);
  EXPECT_EQ(VariantSettings::parse({}).window, 64U);
  const auto asked = VariantSettings::parse({{"method", "get"}, {"window", "4096"}, {"in_network", "off"}});
  EXPECT_EQ(asked.method, Method::get);
  EXPECT_EQ(asked.window, 4096U);
}

constexpr const char* endpoint = R"(#
# UCP endpoint
#               peer: <no debug data>
#                 lane[0]:  0:sysv/memory.0 md[0]           -> md[0]/sysv/sysdev[255] amo#0 am am_bw#0
#                 lane[1]:  2:rc_mlx5/mlx5_0:1.0 md[2]      -> md[2]/ib/sysdev[255] rma_bw#0 rma_bw#1
#                tag_send: 0..<egr/short>..93..<egr/bcopy>..8256..<rndv>..(inf)
)";

TEST(UcxWays, AnEndpointsLanesBecomeASentence) {
  EXPECT_THAT(describe_ways({endpoint, endpoint}),
              ElementsAre("endpoint: sysv/memory for amo, am, am_bw; rc_mlx5/mlx5_0:1 for rma_bw"));
  EXPECT_THAT(describe_ways({"# nothing known\n", ""}), IsEmpty());
}

}  // namespace
}  // namespace busbar::ucx
#endif
