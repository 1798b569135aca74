using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed class OpenApiTests(RunningService service) : IClassFixture<RunningService>
{
    [Fact]
    public async Task The_committed_file_describes_the_running_service()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, "/swagger/v1/swagger.yaml");
        string running = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        string committed = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "openapi.yaml"), TestContext.Current.CancellationToken);
        Assert.Equal(Lines(committed), Lines(running));
    }

    [Fact]
    public async Task Every_operation_is_described_and_names_its_problems()
    {
        var document = await service.Api.GetAsync("/swagger/v1/swagger.json");
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                Assert.True(operation!["summary"] is not null, $"{method} {path} has no summary.");
                bool takesAnId = path.Contains("{id}", StringComparison.Ordinal);
                Assert.True(!takesAnId || operation["responses"]!["404"] is not null, $"{method} {path} does not say that it may find nothing.");
            }
        }
    }

    /// <summary>The tool and the service end lines alike but for the last.</summary>
    private static string[] Lines(string text) => text.TrimEnd().Split('\n');
}
