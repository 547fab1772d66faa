// What the profiler writes for BUSBAR_PROFILE_OUT.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/plugin_library.h"
#include "plugins/profiled_communicator.h"
#include "plugins/profiler_api.h"

namespace busbar::plugins::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<fs::path> files_in(const fs::path& folder) {
  return {fs::directory_iterator(folder), fs::directory_iterator()};
}

std::vector<Json> lines_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<Json> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

std::string host() {
  utsname system{};
  uname(&system);
  return system.nodename;
}

const nccl_abi::ProfilerV5* profiler(const PluginLibrary& library) {
  return library.symbol<const nccl_abi::ProfilerV5>("ncclProfiler_v5");
}

TEST(ProfilerFile, HasALineForEveryFinalizedCommunicator) {
  const TemporaryFolder folder;
  const Environment out("BUSBAR_PROFILE_OUT", folder.path().string());
  NcclLog log;
  const PluginLibrary library(BUSBAR_PROFILER_PLUGIN);
  ProfiledCommunicatorV5 first(profiler(library),
                               {.id = 0xabcdef0123456789U, .name = "training", .nodes = 2, .ranks = 16, .rank = 3});
  ProfiledCommunicatorV5 second(profiler(library), {.id = 2, .nodes = 0});
  first.run({.function = "Broadcast", .root = 5});
  first.run({.function = "Broadcast", .root = 5});
  second.run({.datatype = nullptr, .algorithm = "NVLS", .channels = 0, .captured = true});
  first.finalize();
  second.finalize();

  const auto files = files_in(folder.path());
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].filename(), "nccl-" + host() + "-" + std::to_string(getpid()) + ".jsonl");
  const auto lines = lines_of(files[0]);
  ASSERT_EQ(lines.size(), 2U);
  const Json expected = {{"type", "nccl_communicator"},
                         {"host", host()},
                         {"pid", getpid()},
                         {"comm_id", "0xabcdef0123456789"},
                         {"comm_name", "training"},
                         {"rank", 3},
                         {"ranks", 16},
                         {"nodes", 2},
                         {"interface", 5},
                         {"finalized", true},
                         {"lost", 0},
                         {"records",
                          {{{"stage", "called"},
                            {"function", "Broadcast"},
                            {"datatype", "ncclFloat32"},
                            {"count", 1024},
                            {"bytes", 4096},
                            {"root", 5},
                            {"algorithm", nullptr},
                            {"protocol", nullptr},
                            {"channels", nullptr},
                            {"warps", nullptr},
                            {"captured", false},
                            {"times", 2}},
                           {{"stage", "enqueued"},
                            {"function", "Broadcast"},
                            {"datatype", "ncclFloat32"},
                            {"count", 1024},
                            {"bytes", 4096},
                            {"root", 5},
                            {"algorithm", "RING"},
                            {"protocol", "LL"},
                            {"channels", 2},
                            {"warps", 16},
                            {"captured", false},
                            {"times", 2}}}}};
  EXPECT_EQ(lines[0], expected);
  EXPECT_EQ(lines[1]["nodes"], nullptr);
  EXPECT_EQ(lines[1]["comm_name"], nullptr);
  EXPECT_EQ(lines[1]["records"][1]["datatype"], nullptr);
  EXPECT_EQ(lines[1]["records"][1]["bytes"], nullptr);
  EXPECT_EQ(lines[1]["records"][1]["channels"], nullptr);
  EXPECT_EQ(lines[1]["records"][1]["captured"], true);
  EXPECT_TRUE(log.empty());
}

TEST(ProfilerFile, TakesAPrefixAndMakesTheFolder) {
  const TemporaryFolder folder;
  NcclLog log;
  {
    const Environment out("BUSBAR_PROFILE_OUT", (folder.path() / "deep" / "run7").string());
    const PluginLibrary library(BUSBAR_PROFILER_PLUGIN);
    ProfiledCommunicatorV5(profiler(library)).finalize();
  }
  {
    const Environment out("BUSBAR_PROFILE_OUT", (folder.path() / "new").string() + "/");
    const PluginLibrary library(BUSBAR_PROFILER_PLUGIN);
    ProfiledCommunicatorV5(profiler(library)).finalize();
  }
  const std::string tail = host() + "-" + std::to_string(getpid()) + ".jsonl";
  EXPECT_EQ(lines_of(folder.path() / "deep" / ("run7-" + tail)).size(), 1U);
  EXPECT_EQ(lines_of(folder.path() / "new" / ("nccl-" + tail)).size(), 1U);
}

TEST(ProfilerFile, IsCompleteEvenIfReadInProcess) {
  const TemporaryFolder folder;
  const Environment out("BUSBAR_PROFILE_OUT", folder.path().string());
  NcclLog log;
  const PluginLibrary library(BUSBAR_PROFILER_PLUGIN);
  ProfiledCommunicatorV5 comm(profiler(library));
  comm.run({});
  std::array<busbar_profiler_record, 2> records;
  auto* const read = library.symbol<decltype(busbar_profiler_read)>("busbar_profiler_read");
  EXPECT_EQ(read(1, records.data(), records.size()), 2U);
  comm.finalize();
  EXPECT_EQ(lines_of(files_in(folder.path()).at(0)).at(0)["records"].size(), 2U);
}

// In a child, so that it has an end.
template <typename Work>
int exit_code_of(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    std::exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProfilerFile, HasOpenCommunicatorsAtTheProcessEnd) {
  const TemporaryFolder folder;
  const Environment out("BUSBAR_PROFILE_OUT", folder.path().string());
  NcclLog log;
  const std::string plugin = BUSBAR_PROFILER_PLUGIN;
  EXPECT_EQ(exit_code_of([&] {
              static const PluginLibrary library(plugin.c_str());
              ProfiledCommunicatorV5 done(profiler(library)), open(profiler(library));
              done.run({});
              open.run({});
              done.finalize();
            }),
            0);
  const auto lines = lines_of(files_in(folder.path()).at(0));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["finalized"], true);
  EXPECT_EQ(lines[1]["finalized"], false);
  EXPECT_EQ(lines[1]["records"].size(), 2U);
}

TEST(ProfilerFile, AForkDoesNotWriteItsParentsRecords) {
  const TemporaryFolder folder;
  const Environment out("BUSBAR_PROFILE_OUT", folder.path().string());
  NcclLog log;
  const PluginLibrary library(BUSBAR_PROFILER_PLUGIN);
  ProfiledCommunicatorV5 comm(profiler(library));
  comm.run({});
  EXPECT_EQ(exit_code_of([&] { comm.finalize(); }), 0);
  const auto files = files_in(folder.path());
  ASSERT_EQ(files.size(), 1U);
  EXPECT_TRUE(lines_of(files[0]).empty());
}

TEST(ProfilerFile, AnUnwritablePlaceIsOneWarning) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  const Environment out("BUSBAR_PROFILE_OUT", (folder.path() / "file" / "below").string());
  NcclLog log;
  const PluginLibrary library(BUSBAR_PROFILER_PLUGIN);
  for (int i = 0; i < 3; ++i) {
    ProfiledCommunicatorV5 comm(profiler(library));
    comm.run({});
    comm.finalize();
  }
  EXPECT_THAT(log.warnings(), testing::ElementsAre(testing::HasSubstr("BUSBAR_PROFILE_OUT: cannot write")));
}

}  // namespace
}  // namespace busbar::plugins::test
