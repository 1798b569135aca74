using System.Globalization;
using Condense.Models.Rewriting.Opsets;
using Xunit;

namespace Condense.Models.Tests.Rewriting.Opsets;

/// <summary>The table of versions against the specification's own lists.</summary>
public sealed class OperatorHistoryTests
{
    [Fact]
    public void Every_version_of_every_standard_operator_is_accounted_for()
    {
        string[] lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Rewriting", "Opsets", "operator-versions.tsv"));
        Assert.Equal(OperatorHistory.All.Count(), lines.Length);
        foreach (string[] line in lines.Select(line => line.Split('\t')))
        {
            long[] versions = [.. line[1].Split(' ').Select(version => long.Parse(version, CultureInfo.InvariantCulture))];
            var history = OperatorHistory.Find(line[0]);
            Assert.NotNull(history);
            Assert.Equal(versions.LastOrDefault(version => version <= OpsetConversion.Oldest, versions[0]), history.Since);
            Assert.Equal(versions.Where(version => version > history.Since), history.Later.Select(step => step.Version));
        }
    }

    [Fact]
    public void Every_change_is_converted_but_one_that_is_refused()
    {
        var changes = OperatorHistory.All.SelectMany(history => history.Later.Where(step => step.Changes).Select(step => (history.Name, step.Version)));
        var converted = OperatorConversions.All.ToHashSet();
        Assert.Equal([("Scan", 9L)], changes.Where(change => !converted.Remove(change)));
        Assert.Empty(converted);
    }
}
