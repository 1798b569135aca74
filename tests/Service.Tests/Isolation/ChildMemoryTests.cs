using Condense.Service.Isolation;
using Xunit;

namespace Condense.Service.Tests.Isolation;

public sealed class ChildMemoryTests
{
    [Fact]
    public void What_the_system_has_put_on_disk_counts_and_mapped_files_do_not()
    {
        string[] status = ["Name:\tdotnet", "VmPeak:\t90000000 kB", "RssAnon:\t    1000 kB", "RssFile:\t  500000 kB", "RssShmem:\t   70000 kB", "VmSwap:\t     234 kB", "Threads:\t9"];
        Assert.Equal(1234 * 1024, ChildMemory.OwnBytes(status));
    }
}
