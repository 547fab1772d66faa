#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/datatype.h"
#include "core/error.h"

namespace busbar {
namespace {

using ::testing::HasSubstr;

TEST(DataType, NamesFollowNcclTests) {
  EXPECT_EQ(all_datatypes().size(), 12U);
  std::set<std::string_view> names;
  for (const DataType type : all_datatypes()) {
    names.insert(name(type));
    EXPECT_EQ(parse_datatype(name(type)), type);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"int8", "uint8", "int32", "uint32", "int64", "uint64", "float8_e4m3",
                                               "float8_e5m2", "half", "bfloat16", "float", "double"}));
}

TEST(DataType, SizesAreInBytes) {
  EXPECT_EQ(size_of(DataType::int8), 1U);
  EXPECT_EQ(size_of(DataType::uint8), 1U);
  EXPECT_EQ(size_of(DataType::int32), 4U);
  EXPECT_EQ(size_of(DataType::uint32), 4U);
  EXPECT_EQ(size_of(DataType::int64), 8U);
  EXPECT_EQ(size_of(DataType::uint64), 8U);
  EXPECT_EQ(size_of(DataType::float8_e4m3), 1U);
  EXPECT_EQ(size_of(DataType::float8_e5m2), 1U);
  EXPECT_EQ(size_of(DataType::half), 2U);
  EXPECT_EQ(size_of(DataType::bfloat16), 2U);
  EXPECT_EQ(size_of(DataType::float32), 4U);
  EXPECT_EQ(size_of(DataType::float64), 8U);
}

TEST(RedOp, NamesAreParsedBack) {
  EXPECT_EQ(all_redops().size(), 6U);
  for (const RedOp redop : all_redops()) EXPECT_EQ(parse_redop(name(redop)), redop);
}

template <class Parse>
std::string refusal(const Parse& parse) {
  try {
    parse();
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "accepted";
}

TEST(Parse, NamesTheUnknownAndTheAccepted) {
  for (const std::string_view word : {"flot", "", "FLOAT", "float "}) {
    const std::string sentence = refusal([&] { parse_datatype(word); });
    EXPECT_THAT(sentence, HasSubstr(fmt::format("'{}'", word)));
    EXPECT_THAT(sentence, HasSubstr("bfloat16, float, double"));
  }
  EXPECT_THAT(refusal([] { parse_redop("mean"); }), HasSubstr("'mean'; accepted: sum, prod, min, max, avg, premulsum"));
}

TEST(WithType, GivesTheStoringType) {
  EXPECT_TRUE(with_type(DataType::bfloat16, [](auto v) { return std::is_same_v<decltype(v), BFloat16>; }));
  EXPECT_TRUE(with_type(DataType::float8_e4m3, [](auto v) { return std::is_same_v<decltype(v), Float8E4M3>; }));
  EXPECT_TRUE(with_type(DataType::float8_e5m2, [](auto v) { return std::is_same_v<decltype(v), Float8E5M2>; }));
  EXPECT_TRUE(with_type(DataType::uint64, [](auto v) { return std::is_same_v<decltype(v), std::uint64_t>; }));
}

}  // namespace
}  // namespace busbar
