using Condense.Service.Jobs;
using Quartz;
using Quartz.Impl.AdoJobStore;
using Xunit;

namespace Condense.Service.Tests.Jobs;

/// <summary>What is read of the queue: not the waiting triggers of a group that has no free slot.</summary>
public sealed class OpenGroupsTests
{
    [Theory]
    [InlineData(1, 2, "all ×3")]
    [InlineData(0, 2, "inspect ×3, compress ×1")]
    [InlineData(1, 0, "compress ×3, inspect ×1")]
    [InlineData(0, 0, "compress ×1, inspect ×1")]
    public async Task Of_a_full_group_one_trigger_is_read(int compressions, int inspections, string expected)
    {
        var limits = ExecutionLimitsBuilder.Create().ForGroup(WorkTriggers.CompressionGroup, compressions).ForGroup(WorkTriggers.InspectionGroup, inspections).Build();
        var asked = new List<string>();
        var criteria = new TriggerAcquisitionCriteria { NoLaterThan = default, NoEarlierThan = default, MaxCount = 3, LiveNodeCutoff = default, ExecutionLimits = limits };
        var found = await OpenGroups.SelectAsync(criteria, one =>
        {
            asked.Add($"{(one.ServedExecutionGroups is { Count: > 0 } groups ? string.Join('+', groups) : "all")} ×{one.MaxCount}");
            return ValueTask.FromResult(new List<TriggerAcquireResult> { new(new TriggerKey(asked[^1]), "job", null) });
        });
        Assert.Equal(expected, string.Join(", ", asked));
        Assert.Equal(asked, found.Select(result => result.TriggerKey.Name));
    }
}
