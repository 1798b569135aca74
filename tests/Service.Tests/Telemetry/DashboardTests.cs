using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Condense.Service.Tests.Telemetry;

/// <summary>What dashboards, alerts and scaling ask Prometheus for is there.</summary>
public sealed partial class DashboardTests(RunningService service) : IClassFixture<RunningService>
{
    [Theory]
    [InlineData("deploy/prometheus/alerts.yml", 12)]
    [InlineData("deploy/grafana/condense.json", 15)]
    [InlineData("deploy/kubernetes/worker-scaling.yaml", 2)]
    public async Task Names_only_metrics_and_labels_that_the_page_has(string file, int atLeast)
    {
        string text = await File.ReadAllTextAsync(At(file), TestContext.Current.CancellationToken);
        string[] used = [.. Metric().Matches(text).Select(match => match.Value).Distinct()];
        Assert.InRange(used.Length, 1, 100);
        Assert.InRange(Metric().Count(text), atLeast, 500);

        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        await service.Api.EndAsync(await service.Api.AddJobAsync(model, 2));
        var page = await PrometheusPage.ReadAsync(service.Api);
        string[] series = [.. page.Series.Select(key => key.Split('{')[0]).Distinct()];
        Assert.Empty(used.Except(series));

        string[] labels = [.. Label().Matches(text).Select(match => match.Groups["name"].Value).Distinct()];
        string[] known = [.. page.Series.SelectMany(key => Label().Matches(key)).Select(match => match.Groups["name"].Value), "job", "instance"];
        Assert.Empty(labels.Except(known));
    }

    [Fact]
    public void Every_panel_asks_for_something_and_stands_alone()
    {
        var dashboard = JsonNode.Parse(File.ReadAllText(At("deploy/grafana/condense.json")))!;
        var panels = dashboard["panels"]!.AsArray();
        Assert.True(panels.Count >= 10);
        Assert.Equal(panels.Count, panels.Select(panel => (int)panel!["id"]!).Distinct().Count());
        Assert.All(panels, panel => Assert.All(panel!["targets"]!.AsArray(), target => Assert.NotEmpty((string)target!["expr"]!)));
        var cells = panels.SelectMany(panel =>
        {
            var place = panel!["gridPos"]!;
            return from x in Enumerable.Range((int)place["x"]!, (int)place["w"]!) from y in Enumerable.Range((int)place["y"]!, (int)place["h"]!) select (x, y);
        }).ToList();
        Assert.Equal(cells.Count, cells.Distinct().Count());
        Assert.All(cells, cell => Assert.InRange(cell.x, 0, 23));
    }

    private static string At(string file) => Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(SampleModels.Path))!, file);

    [GeneratedRegex(@"\b(condense|http_server|dotnet|kestrel)_[a-z_]+\b(?!:)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Metric();

    [GeneratedRegex("""[{,]\s*(?<name>[a-z_]+)(=~|!~|!=|=)\\?["]""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label();
}
