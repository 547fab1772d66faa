#ifdef BUSBAR_HAS_NCCL
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "collectives/registry.h"
#include "core/error.h"
#include "transport/nccl/settings.h"

namespace busbar::nccl {
namespace {

using ::testing::HasSubstr;

constexpr int version_2_18 = NCCL_VERSION(2, 18, 5);
constexpr int version_2_27 = NCCL_VERSION(2, 27, 3);
constexpr int version_2_28 = NCCL_VERSION(2, 28, 9);

/// A process with these variables.
Surroundings surroundings(std::map<std::string, std::string> variables = {}, int version = version_2_28) {
  return {.version = version,
          .tuner = true,
          .sharp_library = true,
          .variable = [variables](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional{found->second};
          }};
}

/// "" where nothing is wrong.
std::string objection_to(const Settings& settings, std::string_view operation, const Surroundings& here) {
  return objection(VariantSettings::parse(settings), find_collective(operation).traits(), here).value_or("");
}

std::string parse_error(const Settings& settings) {
  try {
    VariantSettings::parse(settings);
  } catch (const UsageError& problem) {
    return problem.what();
  }
  return "";
}

TEST(NcclSettings, UnknownKeysAndValuesAreNamed) {
  EXPECT_THAT(parse_error({{"colour", "red"}}), HasSubstr("unknown variant key 'colour'"));
  EXPECT_THAT(parse_error({{"in_network", "on"}}), HasSubstr("accepted: off, nvls, collnet, sharp"));
  EXPECT_THAT(parse_error({{"algorithm", "Ring"}}), HasSubstr("accepted: ring, tree"));
  EXPECT_THAT(parse_error({{"protocol", "ll256"}}), HasSubstr("accepted: ll, ll128, simple"));
  for (const char* const channels : {"0", "65", "-1", "8x", "", "99999999999"}) {
    EXPECT_THAT(parse_error({{"channels", channels}}), HasSubstr("accepted: 1 to 64")) << channels;
  }
}

TEST(NcclSettings, BecomeTheConfiguration) {
  const ncclConfig_t plain = config_of({}, NCCL_VERSION_CODE);
  EXPECT_EQ(plain.minCTAs, NCCL_CONFIG_UNDEF_INT);
  const ncclConfig_t set =
      config_of(VariantSettings::parse({{"channels", "8"}, {"in_network", "sharp"}, {"cta_policy", "efficiency"}}),
                NCCL_VERSION_CODE);
  EXPECT_EQ(set.minCTAs, 8);
  EXPECT_EQ(set.maxCTAs, 8);
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 27, 0)
  EXPECT_EQ(plain.collnetEnable, NCCL_CONFIG_UNDEF_INT);
  EXPECT_EQ(set.collnetEnable, 1);
  EXPECT_EQ(set.CTAPolicy, 1);
  EXPECT_EQ(config_of(VariantSettings::parse({{"in_network", "off"}}), NCCL_VERSION_CODE).collnetEnable, 0);
  EXPECT_EQ(config_of(VariantSettings::parse({{"in_network", "sharp"}}), version_2_18).collnetEnable,
            NCCL_CONFIG_UNDEF_INT);
#endif
}

TEST(NcclSettings, BecomeTheTunersTable) {
  const std::string table = table_of(VariantSettings::parse({{"algorithm", "tree"}, {"protocol", "ll"}}));
  EXPECT_THAT(table, HasSubstr("allreduce,0,-1,tree,ll,-1,-1,-1\n"));
}

TEST(NcclSettings, PlainOnesAreFine) {
  for (const Collective* c : all_collectives()) EXPECT_EQ(objection_to({}, c->traits().name, surroundings()), "");
}

TEST(NcclSettings, VariablesThatWinAreNamed) {
  const Settings tuned{{"algorithm", "ring"}, {"protocol", "simple"}};
  EXPECT_EQ(objection_to(tuned, "all_reduce", surroundings()), "");
  EXPECT_THAT(objection_to(tuned, "all_reduce", surroundings({{"NCCL_ALGO", "Tree"}})), HasSubstr("NCCL_ALGO=Tree"));
  EXPECT_THAT(objection_to({{"channels", "4"}}, "send_recv", surroundings({{"NCCL_MAX_CTAS", "8"}})),
              HasSubstr("NCCL_MAX_CTAS=8 is set at launch"));
  EXPECT_THAT(objection_to({{"in_network", "collnet"}}, "all_reduce", surroundings({{"NCCL_COLLNET_ENABLE", "0"}})),
              HasSubstr("NCCL_COLLNET_ENABLE=0 is set at launch"));
  EXPECT_THAT(objection_to({{"in_network", "off"}}, "broadcast", surroundings({{"NCCL_COLLNET_ENABLE", "1"}})),
              HasSubstr("NCCL_COLLNET_ENABLE=1 is set at launch"));
  EXPECT_THAT(objection_to({{"cta_policy", "default"}}, "all_reduce", surroundings({{"NCCL_CTA_POLICY", "1"}})),
              HasSubstr("NCCL_CTA_POLICY"));
}

TEST(NcclSettings, WhatIsReadOncePerProcessNeedsTheLaunch) {
  EXPECT_THAT(objection_to({{"in_network", "off"}}, "all_reduce", surroundings()), HasSubstr("NCCL_NVLS_ENABLE=0"));
  EXPECT_EQ(objection_to({{"in_network", "off"}}, "all_reduce", surroundings({{"NCCL_NVLS_ENABLE", "0"}})), "");
  EXPECT_EQ(objection_to({{"in_network", "off"}}, "send_recv", surroundings()), "");
  EXPECT_THAT(objection_to({{"in_network", "nvls"}}, "all_reduce", surroundings({{"NCCL_NVLS_ENABLE", "2"}})),
              HasSubstr("NCCL_NVLS_ENABLE=1"));
  EXPECT_EQ(objection_to({{"in_network", "nvls"}}, "all_gather", surroundings({{"NCCL_NVLS_ENABLE", "1"}})), "");
}

TEST(NcclSettings, OlderLibrariesAreNotAskedForWhatTheyIgnore) {
  const auto old = surroundings({}, version_2_18);
  EXPECT_THAT(objection_to({{"in_network", "sharp"}}, "all_reduce", old), HasSubstr("NCCL_COLLNET_ENABLE=1"));
  EXPECT_EQ(
      objection_to({{"in_network", "sharp"}}, "all_reduce", surroundings({{"NCCL_COLLNET_ENABLE", "1"}}, version_2_18)),
      "");
  EXPECT_THAT(objection_to({{"cta_policy", "efficiency"}}, "all_reduce", old), HasSubstr("2.27"));
  EXPECT_THAT(objection_to({{"cta_policy", "zero"}}, "all_reduce", surroundings({}, version_2_27)), HasSubstr("2.28"));
}

TEST(NcclSettings, ImpossibleWishesAreRefused) {
  const auto here = surroundings();
  const auto without_tuner = [&] {
    Surroundings s = here;
    s.tuner = false;
    return s;
  }();
  EXPECT_THAT(objection_to({{"algorithm", "ring"}}, "all_reduce", here), HasSubstr("both or none"));
  EXPECT_THAT(objection_to({{"algorithm", "ring"}, {"protocol", "ll"}}, "all_reduce", without_tuner),
              HasSubstr("NCCL_TUNER_PLUGIN"));
  EXPECT_THAT(objection_to({{"algorithm", "tree"}, {"protocol", "ll"}}, "all_gather", here),
              HasSubstr("no algorithm tree for all_gather"));
  EXPECT_THAT(objection_to({{"algorithm", "ring"}, {"protocol", "ll"}}, "all_to_all", here),
              HasSubstr("sends and receives"));
  EXPECT_THAT(objection_to({{"algorithm", "nvls"}, {"protocol", "ll"}}, "all_reduce", here), HasSubstr("simple"));
  EXPECT_THAT(objection_to({{"algorithm", "collnet_chain"}, {"protocol", "simple"}}, "all_reduce", here),
              HasSubstr("in_network=collnet"));
  EXPECT_THAT(objection_to({{"schedule", "portable"}}, "all_reduce", here), HasSubstr("schedule=native"));
  EXPECT_EQ(objection_to({{"schedule", "portable"}}, "barrier", here), "");
  EXPECT_THAT(objection_to({{"schedule", "portable"}, {"in_network", "collnet"}}, "barrier", here),
              HasSubstr("no effect"));
  EXPECT_THAT(objection_to({{"in_network", "sharp"}}, "broadcast", here), HasSubstr("nothing to do for broadcast"));
}

TEST(NcclSettings, SharpNeedsItsPlugin) {
  const Settings sharp{{"in_network", "sharp"}};
  EXPECT_EQ(objection_to(sharp, "all_reduce", surroundings()), "");
  EXPECT_THAT(objection_to(sharp, "all_reduce", surroundings({{"NCCL_NET_PLUGIN", "none"}})),
              HasSubstr("NCCL_NET_PLUGIN=none"));
  EXPECT_THAT(objection_to(sharp, "all_reduce", surroundings({{"NCCL_SHARP_DISABLE", "1"}})),
              HasSubstr("NCCL_SHARP_DISABLE"));
  Surroundings without = surroundings();
  without.sharp_library = false;
  EXPECT_THAT(objection_to(sharp, "all_reduce", without), HasSubstr("libsharp_coll.so"));
}

}  // namespace
}  // namespace busbar::nccl
#endif
