// libnccl-tuner-busbar.so as NCCL drives it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "plugins/abi/tuner.h"
#include "plugins/nccl_log.h"
#include "plugins/plugin_library.h"
#include "plugins/tuner_api.h"

namespace busbar::plugins::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// As NCCL fills it: CollNet and NVLS are not available.
struct CostTable {
  std::array<float, 21> costs;
  CostTable() {
    for (std::size_t i = 0; i < costs.size(); ++i) costs[i] = 10.0F + static_cast<float>(i);
    for (std::size_t i = 6; i < 18; ++i) costs[i] = nccl_abi::not_available;
  }
  float** flat() { return reinterpret_cast<float**>(costs.data()); }
  float& at(nccl_abi::Algorithm a, nccl_abi::Protocol p) { return costs[static_cast<std::size_t>(a * 3 + p)]; }
  bool operator==(const CostTable&) const = default;
};

/// What a communicator asks; `channels` comes in as 0, as NCCL does it.
struct Answer {
  CostTable table;
  int channels = 0;
  bool untouched() const { return table == CostTable() && channels == 0; }
};

class TunedCommunicator {
 public:
  TunedCommunicator(const nccl_abi::TunerV5* tuner, std::size_t ranks, std::size_t nodes) : tuner_(tuner) {
    EXPECT_EQ(tuner->init(&context_, 0x77, ranks, nodes, NcclLog::logger, &domains_, &constants_), nccl_abi::success);
  }
  TunedCommunicator(const TunedCommunicator&) = delete;
  TunedCommunicator& operator=(const TunedCommunicator&) = delete;
  ~TunedCommunicator() { EXPECT_EQ(tuner_->finalize(context_), nccl_abi::success); }
  Answer ask(nccl_abi::Function function, std::size_t bytes, int pipe_ops = 1, int registered = 0) {
    Answer answer;
    ask(answer, function, bytes, pipe_ops, registered);
    return answer;
  }
  void ask(Answer& answer, nccl_abi::Function function, std::size_t bytes, int pipe_ops = 1, int registered = 0) {
    EXPECT_EQ(tuner_->get_coll_info(context_, function, bytes, pipe_ops, answer.table.flat(), nccl_abi::algorithms,
                                    nccl_abi::protocols, registered, &answer.channels),
              nccl_abi::success);
  }
  const nccl_abi::TunerConstants& constants() const { return constants_; }

 private:
  const nccl_abi::TunerV5* tuner_;
  void* context_ = nullptr;
  nccl_abi::NvlDomains domains_{1, 8, 8};
  nccl_abi::TunerConstants constants_{};
};

class TunerPlugin : public testing::Test {
 protected:
  /// Loads the plugin with a table in BUSBAR_TUNER_TABLE.
  void load(const std::string& table) {
    std::ofstream(file_) << table;
    environment_.emplace("BUSBAR_TUNER_TABLE", file_.string());
    load();
  }
  void load() {
    library_.emplace(BUSBAR_TUNER_PLUGIN);
    v5_ = library_->symbol<const nccl_abi::TunerV5>("ncclTunerPlugin_v5");
  }
  int set_table(const char* text, char* error = nullptr, std::size_t size = 0) {
    return library_->symbol<decltype(busbar_tuner_set_table)>("busbar_tuner_set_table")(text, error, size);
  }
  busbar_tuner_counts counts() const {
    busbar_tuner_counts counts{};
    library_->symbol<decltype(busbar_tuner_count)>("busbar_tuner_count")(&counts);
    return counts;
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "table.csv";
  std::optional<Environment> environment_;
  NcclLog log_;
  std::optional<PluginLibrary> library_;
  const nccl_abi::TunerV5* v5_ = nullptr;
};

TEST_F(TunerPlugin, IsFoundByItsVersionedSymbols) {
  load();
  for (const char* symbol : {"ncclTunerPlugin_v6", "ncclTunerPlugin_v5", "ncclTunerPlugin_v4", "ncclTunerPlugin_v3"}) {
    const auto* name = library_->symbol<const char* const>(symbol);  // the first member of each
    ASSERT_NE(name, nullptr) << symbol;
    EXPECT_STREQ(*name, "Busbar");
  }
  EXPECT_EQ(library_->symbol<void>("ncclTunerPlugin_v2"), nullptr);
  EXPECT_EQ(library_->symbol<const nccl_abi::TunerV6>("ncclTunerPlugin_v6")->get_chunk_size, nullptr);
  EXPECT_EQ(library_->symbol<decltype(busbar_tuner_api)>("busbar_tuner_api")(), BUSBAR_TUNER_API);
}

TEST_F(TunerPlugin, WithoutATableNothingHappens) {
  load();
  TunedCommunicator comm(v5_, 16, 2);
  EXPECT_TRUE(comm.ask(nccl_abi::all_reduce, 1 << 20).untouched());
  EXPECT_TRUE(log_.empty());
}

TEST_F(TunerPlugin, AppliesARow) {
  load("# fabric: test\nallreduce,1024,2048,tree,ll128,5,2,16\n");
  TunedCommunicator comm(v5_, 16, 2);
  Answer expected;
  expected.table.at(nccl_abi::tree, nccl_abi::ll128) = 0.0F;
  const Answer answer = comm.ask(nccl_abi::all_reduce, 1500);
  EXPECT_EQ(answer.table, expected.table);
  EXPECT_EQ(answer.channels, 5);
  EXPECT_TRUE(comm.ask(nccl_abi::all_reduce, 2049).untouched());
  EXPECT_TRUE(comm.ask(nccl_abi::reduce, 1500).untouched());
  EXPECT_TRUE(TunedCommunicator(v5_, 8, 2).ask(nccl_abi::all_reduce, 1500).untouched());
  EXPECT_THAT(log_.at(nccl_abi::log_info), ElementsAre(HasSubstr("1 rows from")));
  EXPECT_THAT(log_.warnings(), IsEmpty());
  EXPECT_EQ(counts().asked, 4U);
  EXPECT_EQ(counts().decided, 1U);
}

TEST_F(TunerPlugin, LeavesNcclsModelAlone) {
  load("allreduce,0,-1,ring,ll,1,-1,-1\n");
  TunedCommunicator comm(v5_, 16, 2);
  const nccl_abi::TunerConstants zero{};
  EXPECT_EQ(std::memcmp(&comm.constants(), &zero, sizeof zero), 0);
}

TEST_F(TunerPlugin, NeverTurnsOnWhatIsNotAvailable) {
  load("allreduce,0,-1,nvls,simple,4,-1,-1\nallreduce,0,-1,collnet_chain,simple,-1,-1,-1\n");
  TunedCommunicator comm(v5_, 16, 2);
  EXPECT_TRUE(comm.ask(nccl_abi::all_reduce, 1 << 20).untouched());
  EXPECT_EQ(counts().unavailable, 2U);
  EXPECT_EQ(counts().decided, 0U);
  EXPECT_THAT(log_.warnings(), IsEmpty());
}

TEST_F(TunerPlugin, ChannelsStayWithNcclWhereItDoesNotCheckThem) {
  load("allreduce,0,-1,collnet_direct,simple,60,-1,-1\nallgather,0,-1,ring,simple,500,-1,-1\n");
  TunedCommunicator comm(v5_, 16, 2);
  Answer answer;
  answer.table.at(nccl_abi::collnet_direct, nccl_abi::simple) = 30.0F;
  comm.ask(answer, nccl_abi::all_reduce, 1 << 20);
  EXPECT_EQ(answer.table.at(nccl_abi::collnet_direct, nccl_abi::simple), 0.0F);
  EXPECT_EQ(answer.channels, 0);
  EXPECT_EQ(counts().channels_left, 1U);
  EXPECT_EQ(comm.ask(nccl_abi::all_gather, 1 << 20).channels, 64);
}

TEST_F(TunerPlugin, OlderInterfaces) {
  load("allreduce,0,-1,ring,simple,3,-1,-1,-1,1\nallreduce,0,-1,tree,ll,2,-1,-1\n");
  const auto* v4 = library_->symbol<const nccl_abi::TunerV4>("ncclTunerPlugin_v4");
  const auto* v3 = library_->symbol<const nccl_abi::TunerV3>("ncclTunerPlugin_v3");
  void* context = nullptr;
  v4->init(16, 2, NcclLog::logger, &context);
  Answer four;
  v4->get_coll_info(context, nccl_abi::all_reduce, 8, 1, four.table.flat(), 7, 3, 1, &four.channels);
  v4->destroy(context);
  EXPECT_EQ(four.channels, 3);
  EXPECT_EQ(four.table.at(nccl_abi::ring, nccl_abi::simple), 0.0F);
  v3->init(16, 2, NcclLog::logger, &context);
  Answer three;
  v3->get_coll_info(context, nccl_abi::all_reduce, 8, 1, three.table.flat(), 7, 3, &three.channels);
  v3->destroy(context);
  EXPECT_EQ(three.channels, 2);  // whether buffers are registered is not told
  EXPECT_EQ(three.table.at(nccl_abi::tree, nccl_abi::ll), 0.0F);
}

TEST_F(TunerPlugin, AProgramSetsTablesForTheCommunicatorsToCome) {
  load("allreduce,0,-1,ring,ll,1,-1,-1\n");
  TunedCommunicator from_file(v5_, 16, 2);
  ASSERT_EQ(set_table("allreduce,0,-1,ring,ll,2,-1,-1\n"), 0);
  TunedCommunicator second(v5_, 16, 2);
  ASSERT_EQ(set_table("# NCCL decides\n"), 0);
  TunedCommunicator third(v5_, 16, 2);
  char error[200] = "";
  ASSERT_EQ(set_table("nonsense\n", error, sizeof error), -1);
  EXPECT_THAT(error, HasSubstr("line 1"));
  TunedCommunicator fourth(v5_, 16, 2);
  ASSERT_EQ(set_table(nullptr), 0);
  TunedCommunicator fifth(v5_, 16, 2);
  std::vector<int> channels;
  for (TunedCommunicator* comm : {&from_file, &second, &third, &fourth, &fifth}) {
    channels.push_back(comm->ask(nccl_abi::all_reduce, 8).channels);
  }
  EXPECT_THAT(channels, ElementsAre(1, 2, 0, 0, 1));
  EXPECT_THAT(log_.warnings(), IsEmpty());
  EXPECT_EQ(set_table("nonsense\n"), -1);  // with nowhere to say why
}

TEST_F(TunerPlugin, AMalformedTableIsOneWarningAndNoEffect) {
  load("allreduce,0,-1,ring,ll,1,-1,-1\nallreduce,0,-1,ring\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(TunedCommunicator(v5_, 16, 2).ask(nccl_abi::all_reduce, 8).untouched());
  }
  EXPECT_THAT(log_.warnings(), ElementsAre(testing::AllOf(HasSubstr(file_.string()), HasSubstr("line 2"))));
  EXPECT_THAT(log_.at(nccl_abi::log_info), IsEmpty());
}

TEST_F(TunerPlugin, AMissingOrEmptyFileIsOneWarning) {
  load("");
  std::filesystem::remove(file_);
  TunedCommunicator(v5_, 16, 2), TunedCommunicator(v5_, 16, 2);
  EXPECT_THAT(log_.warnings(), ElementsAre(HasSubstr("cannot be read")));
  load("# nothing\n");
  TunedCommunicator(v5_, 16, 2), TunedCommunicator(v5_, 16, 2);
  EXPECT_THAT(log_.warnings(), ElementsAre(HasSubstr("cannot be read"), HasSubstr("no rows")));
}

TEST_F(TunerPlugin, AFolderIsNoTable) {
  load("");
  environment_.reset();
  environment_.emplace("BUSBAR_TUNER_TABLE", folder_.path().string());
  TunedCommunicator(v5_, 16, 2);
  EXPECT_EQ(log_.warnings().size(), 1U);
}

TEST_F(TunerPlugin, AllRanksDecideAlikeFromAllThreads) {
  load(
      "allreduce,0,4095,tree,ll,1,-1,-1\nallreduce,4096,65535,ring,ll128,2,-1,-1\nallreduce,65536,-1,ring,simple,8,-1,-"
      "1\n");
  constexpr int ranks = 6;
  std::vector<std::vector<int>> decisions(ranks);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : decisions) {
      threads.emplace_back([&mine, this] {
        TunedCommunicator comm(v5_, ranks, 1);
        for (std::size_t bytes = 1; bytes < (1U << 30); bytes *= 3) {
          mine.push_back(comm.ask(nccl_abi::all_reduce, bytes).channels);
        }
      });
    }
  }
  for (const auto& mine : decisions) EXPECT_EQ(mine, decisions[0]);
  EXPECT_EQ(log_.at(nccl_abi::log_info).size(), 1U);
}

TEST_F(TunerPlugin, AFileOfRandomBytesIsOneWarning) {
  std::mt19937 random(7);
  std::string bytes(5000, '\0');
  for (char& c : bytes) c = static_cast<char>(random() % 256);
  load(bytes);
  EXPECT_TRUE(TunedCommunicator(v5_, 16, 2).ask(nccl_abi::all_reduce, 8).untouched());
  EXPECT_EQ(log_.warnings().size(), 1U);
}

}  // namespace
}  // namespace busbar::plugins::test
