using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class HousekeepingTests
{
    [Fact]
    public async Task What_a_dead_process_left_is_removed_at_start_and_nothing_else()
    {
        string folder = Directory.CreateTempSubdirectory("condense-house-").FullName;
        try
        {
            string model;
            await using (var first = await ServiceProcess.StartReadyAsync(folder))
            {
                model = await first.Api.AddModelAsync(SampleModels.Layers(1, 32, 16));
                await first.KillAsync();
            }

            string data = Path.Combine(folder, "data");
            string staged = Path.Combine(data, "staging", "upl_LEFT");
            string orphan = Path.Combine(data, "artifacts", "ab", "abab");
            string work = Path.Combine(data, "jobs", "job_GONE", "work");
            Directory.CreateDirectory(Path.GetDirectoryName(orphan)!);
            Directory.CreateDirectory(work);
            await File.WriteAllTextAsync(staged, "x", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(orphan, "x", TestContext.Current.CancellationToken);

            await using var second = await ServiceProcess.StartReadyAsync(folder);
            Assert.False(File.Exists(staged));
            Assert.False(File.Exists(orphan));
            Assert.False(Directory.Exists(work));
            using var content = await second.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
            Assert.True(content.IsSuccessStatusCode);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
