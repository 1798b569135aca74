using System.Security.Cryptography;
using Xunit;

namespace Condense.Service.Tests.Uploads;

public sealed class UploadNodesTests
{
    [Fact]
    public async Task Any_node_of_a_cluster_goes_on_with_an_upload()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var one = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var two = await RunningService.StartAsync(["--Role=Api", .. database]);
        byte[] bytes = SampleModels.Layers(3, 1024, 1000, seed: 4);
        TusClient[] nodes = [new(one.Api), new(two.Api)];
        string upload = await nodes[0].CreateAsync(bytes.Length);
        string? model = null;
        for (int i = 0, at = 0; at < bytes.Length; i++)
        {
            int end = int.Min(at + 2_500_000, bytes.Length);
            using var patched = await nodes[i % 2].PatchAsync(upload, at, bytes[at..end]);
            Assert.Equal(end, TusClient.Offset(patched));
            Assert.Equal(end, await nodes[(i + 1) % 2].OffsetAsync(upload));
            model = TusClient.Model(patched);
            at = end;
        }

        // A request that hangs at one node is pre-empted at the other.
        string second = await nodes[0].CreateAsync(bytes.Length);
        using var hanging = await TusClient.OpenPatchAsync(one.Address, second, 0, bytes.Length, bytes.AsMemory(0, 4 << 20));
        await nodes[1].UntilAsync(second, 4 << 20);
        using var rest = await nodes[1].PatchAsync(second, 4 << 20, bytes[(4 << 20)..]);
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        foreach (string id in new[] { model!, TusClient.Model(rest)! })
        {
            Assert.Equal(sha256, (string?)(await one.Api.GetAsync($"/v1/models/{id}"))["sha256"]);
        }
    }
}
