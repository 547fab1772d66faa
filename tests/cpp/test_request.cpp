#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "bench/command_line.h"
#include "bench/ranks.h"
#include "bench/request.h"
#include "core/error.h"

namespace busbar {
namespace {

constexpr auto good =
    R"({"type":"visit","request":3,"round":1,"seed":9,)"
    R"("point":{"op":"all_gather","size_bytes":64,"datatype":"half","timing":"pipelined","group":{"name":"g","ranks":"0,2"}},)"
    R"("variants":[{"name":"a","settings":{"schedule":"native"}}],)"
    R"("stopping":{"relative_ci":0.1,"min_samples":3,"max_samples":7,"max_seconds":0.5},)"
    R"("warmup":{"min_samples":1,"min_seconds":0},"rest_us":5,"deadline_seconds":9})";

const std::vector<std::string> four{"a", "a", "b", "b"};

TEST(Request, IsReadAsWritten) {
  std::optional<std::int64_t> id;
  const VisitRequest v = parse_request(good, four, id).visit;
  EXPECT_EQ(id, 3);
  EXPECT_EQ(v.round, 1);
  EXPECT_EQ(v.point.collective->traits().name, "all_gather");
  EXPECT_EQ(v.point.type, DataType::half);
  EXPECT_EQ(v.point.timing, Timing::pipelined);
  EXPECT_EQ(v.point.group.members, (std::vector{Rank{0}, Rank{2}}));
  EXPECT_EQ(v.variants.at(0).settings.at("schedule"), "native");
  EXPECT_EQ(v.stopping.max_samples, 7U);
  EXPECT_EQ(v.rest_us, 5);
  EXPECT_EQ(v.deadline_seconds, 9);
}

TEST(Request, AnAverageThatIsZeroOnAllRanksIsRefused) {
  std::optional<std::int64_t> id;
  const auto parse = [&](const char* type, const char* redop, int ranks) {
    return parse_request(fmt::format(R"({{"type":"visit","request":1,"point":{{"op":"all_reduce","size_bytes":64,)"
                                     R"("datatype":"{}","redop":"{}"}}}})",
                                     type, redop),
                         std::vector<std::string>(static_cast<std::size_t>(ranks), "a"), id)
        .visit.point.redop;
  };
  EXPECT_EQ(parse("float8_e4m3", "avg", 1023), RedOp::avg);
  EXPECT_EQ(parse("float8_e4m3", "premulsum", 1024), RedOp::premulsum);
  EXPECT_EQ(parse("float8_e5m2", "avg", 1024), RedOp::avg);
  try {
    parse("float8_e4m3", "avg", 1024);
    FAIL();
  } catch (const UsageError& problem) {
    EXPECT_NE(std::string{problem.what()}.find("accepted: at most 1023 ranks"), std::string::npos) << problem.what();
  }
}

TEST(Request, AnyDamageIsRefusedOrHarmlessButNeverMore) {
  // Cut at every place, and with bytes replaced at random: a usage error or a request, nothing else.
  const std::string text = good;
  std::mt19937 random(1);
  std::optional<std::int64_t> id;
  const auto survives = [&](const std::string& damaged) {
    try {
      parse_request(damaged, four, id);
    } catch (const UsageError& problem) {
      EXPECT_NE(std::string{problem.what()}, "");
    }
  };
  for (std::size_t cut = 0; cut < text.size(); ++cut) survives(text.substr(0, cut));
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = text;
    for (unsigned n = 1 + random() % 4; n > 0; --n) damaged[random() % damaged.size()] = static_cast<char>(random());
    survives(damaged);
  }
}

/// A good request on the group that `group` writes.
VisitRequest on_group(const std::string& group, const std::vector<std::string>& hosts) {
  std::optional<std::int64_t> id;
  return parse_request(
             R"({"type":"visit","request":1,"point":{"op":"all_gather","size_bytes":64,"group":)" + group + "}}", hosts,
             id)
      .visit;
}

using Parts = std::vector<std::vector<Rank>>;

TEST(Request, PartsWorkSideBySide) {
  const Group listed = on_group(R"({"name":"pairs","parts":["1,2","0,3"]})", four).point.group;
  EXPECT_EQ(listed.parts, (Parts{{Rank{1}, Rank{2}}, {Rank{0}, Rank{3}}}));
  EXPECT_EQ(listed.members, (std::vector{Rank{0}, Rank{1}, Rank{2}, Rank{3}}));
  EXPECT_EQ(listed.ranks_per_part(), 2);
  EXPECT_EQ(on_group(R"({"split":"node"})", four).point.group.parts, (Parts{{Rank{0}, Rank{1}}, {Rank{2}, Rank{3}}}));
  EXPECT_EQ(on_group(R"({"split":"index"})", four).point.group.parts, (Parts{{Rank{0}, Rank{2}}, {Rank{1}, Rank{3}}}));
  EXPECT_EQ(on_group(R"({"split":"index","ranks":"0-1"})", {"a", "b", "a"}).point.group.parts,
            (Parts{{Rank{0}, Rank{1}}}));
}

TEST(Request, SizesBelongToAPart) {
  // Chunks of two ranks, not of four: 8 bytes are enough.
  std::optional<std::int64_t> id;
  const auto text =
      R"({"type":"visit","request":1,"point":{"op":"all_gather","size_bytes":8,"group":{"split":"node"}}})";
  EXPECT_EQ(parse_request(text, four, id).visit.point.size, Bytes{8});
  EXPECT_THROW(parse_request(text, {"a", "a", "a", "a"}, id), UsageError);
}

TEST(Request, PartsThatCannotBeAreRefused) {
  for (const char* const group :
       {R"({"parts":[]})", R"({"parts":"0,1"})", R"({"parts":[1]})", R"({"parts":["0","1-2"]})", R"({"parts":["",""]})",
        R"({"parts":["0,1","1,2"]})", R"({"parts":["0,9"]})", R"({"parts":["0,1"],"ranks":"0-2"})",
        R"({"parts":["0,1"],"split":"node"})", R"({"split":"rack"})", R"({"split":"node","ranks":"0-2"})"}) {
    EXPECT_THROW(on_group(group, four), UsageError) << group;
  }
}

TEST(Request, SweepOfTheCommandLineIsUnderstood) {
  CommandLine line;
  line.operations = {"all_reduce", "all_gather", "barrier"};
  line.min_bytes = 8;
  line.max_bytes = 64;
  line.placement = "both";
  const auto requests = sweep_requests(line, 3);
  std::optional<std::int64_t> id;
  std::vector<std::uint64_t> gather_sizes;
  for (const auto& text : requests) {
    const VisitRequest v = parse_request(text, {"a", "b", "c"}, id).visit;
    if (v.point.collective->traits().name == "all_gather" && !v.point.in_place)
      gather_sizes.push_back(v.point.size.value);
  }
  // A total over three ranks of four-byte elements is a multiple of 12; 8 is raised to it.
  EXPECT_EQ(gather_sizes, (std::vector<std::uint64_t>{12, 24, 36, 72}));
  EXPECT_EQ(requests.size(), 2 * 4 + 2 * 4 + 1U);
}

TEST(Ranks, RoundTripAndRefuse) {
  for (const auto* text : {"0", "0-3", "0-3,8", "1,3,5-7"}) EXPECT_EQ(format_ranks(parse_ranks(text)), text);
  for (const auto* text : {"1,0", "3-1", "0,0", "a", "1-", ",", "1,", "-1", "0-99999999999"}) {
    EXPECT_THROW(parse_ranks(text), UsageError) << text;
  }
}

TEST(Size, KnowsItsUnits) {
  EXPECT_EQ(parse_size("16M"), 16U << 20U);
  EXPECT_EQ(parse_size("3"), 3U);
  EXPECT_EQ(parse_size("1G"), 1ULL << 30U);
  for (const auto* text : {"12Q", "", "M", "-1", "1.5K", "99999999999G", "1KK"}) {
    EXPECT_THROW(parse_size(text), UsageError) << text;
  }
}

TEST(Variant, IsReadOrRefused) {
  const auto json = nlohmann::json::parse(variant_json("ring:a=1,b=x=y"));
  EXPECT_EQ(json.at("name"), "ring");
  EXPECT_EQ(json.at("settings").at("b"), "x=y");
  EXPECT_THROW(variant_json("ring:oops"), UsageError);
  EXPECT_THROW(variant_json("ring:=1"), UsageError);
}

}  // namespace
}  // namespace busbar
