#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "observe/environment.h"
#include "tests/cpp/fake_root.h"

namespace busbar {
namespace {

using fake::FakeRoot;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Settings, OnlyThoseOnTheList) {
  constexpr std::array<const char*, 11> environment{"PATH=/bin",
                                                    "NCCL_ALGO=Ring",
                                                    "UCX_TLS=tcp,self",
                                                    "OMPI_MCA_btl=self,tcp",
                                                    "HCOLL_ENABLE=",
                                                    "SHARP_COLL=a=b",
                                                    "OMPI_UCC_CL_BASIC_TLS=ucp",
                                                    "UCC_COLL_TRACE=INFO",
                                                    "PMIX_RANK=0",
                                                    "no equals sign",
                                                    nullptr};
  EXPECT_THAT(recorded_settings(environment.data()),
              ElementsAre(Pair("HCOLL_ENABLE", ""), Pair("NCCL_ALGO", "Ring"), Pair("OMPI_MCA_btl", "self,tcp"),
                          Pair("OMPI_UCC_CL_BASIC_TLS", "ucp"), Pair("SHARP_COLL", "a=b"),
                          Pair("UCC_COLL_TRACE", "INFO"), Pair("UCX_TLS", "tcp,self")));
  EXPECT_THAT(recorded_settings(nullptr), IsEmpty());
}

TEST(Settings, NeverASecret) {
  for (const char* name : {"NCCL_API_TOKEN", "UCX_my_Secret_x", "SHARP_PASSWORD", "HCOLL_PASSWD", "NCCL_SSH_KEY_FILE",
                           "UCX_CREDENTIALS", "NCCL_AUTH", "OMPI_MCA_sec_private"}) {
    EXPECT_FALSE(belongs_in_record(name, "x")) << name;
  }
  EXPECT_FALSE(belongs_in_record("NCCL_PROXY", "http://me:word@proxy:80"));
  EXPECT_TRUE(belongs_in_record("NCCL_PROXY", "http://proxy:80"));
  EXPECT_TRUE(belongs_in_record("UCX_X", "me@host"));
}

TEST(Settings, NotWhatTheLauncherTellsItsProcesses) {
  for (const char* name :
       {"OMPI_MCA_orte_hnp_uri", "OMPI_MCA_orte_precondition_transports", "OMPI_MCA_ess", "OMPI_MCA_ess_base_jobid",
        "OMPI_MCA_pmix", "OMPI_MCA_initial_wdir", "OMPI_MCA_shmem_RUNTIME_QUERY_hint"}) {
    EXPECT_FALSE(belongs_in_record(name, "x")) << name;
  }
  for (const char* name : {"OMPI_MCA_rmaps_base_mapping_policy", "OMPI_MCA_hwloc_base_binding_policy",
                           "OMPI_MCA_mpi_yield_when_idle", "OMPI_MCA_pml"}) {
    EXPECT_TRUE(belongs_in_record(name, "x")) << name;
  }
}

struct Files : FakeRoot {
  Files() {
    write("etc/nccl.conf", "# site settings\nNCCL_DEBUG=WARN\r\nNCCL_IB_HCA=mlx5\n");
    write("home/.nccl.conf", "NCCL_ALGO=Tree\nAWS_SECRET=1\nNCCL_X_TOKEN=1\nhello\n\n");
    write("chosen.conf", "NCCL_ALGO=Ring");
  }
  ConfSources sources() const { return {.etc = path("etc"), .home = path("home")}; }
};

TEST(NcclConf, OfTheUserThenOfTheSystem) {
  const Files files;
  const auto found = nccl_conf_files(nullptr, files.sources());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, files.path("home/.nccl.conf"));
  EXPECT_EQ(found[0].text, "NCCL_ALGO=Tree\n");
  EXPECT_EQ(found[1].path, files.path("etc/nccl.conf"));
  EXPECT_EQ(found[1].text, "NCCL_DEBUG=WARN\nNCCL_IB_HCA=mlx5\n");
}

TEST(NcclConf, ANamedFileStandsInForTheUsers) {
  const Files files;
  const std::string setting = "NCCL_CONF_FILE=" + files.path("chosen.conf");
  const std::array<const char*, 2> environment{setting.c_str(), nullptr};
  const auto found = nccl_conf_files(environment.data(), files.sources());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].text, "NCCL_ALGO=Ring\n");
}

TEST(NcclConf, NoneWhereThereIsNone) {
  const FakeRoot nothing;
  EXPECT_THAT(nccl_conf_files(nullptr, {.etc = nothing.path(), .home = nothing.path()}), IsEmpty());
}

}  // namespace
}  // namespace busbar
