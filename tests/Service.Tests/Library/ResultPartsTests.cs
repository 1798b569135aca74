using System.Security.Cryptography;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Condense.Service.Access;
using Condense.Service.Isolation;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Library;

/// <summary>A result that one file can't hold: an ONNX graph with a second file, as the writer makes it beyond 2 GiB.</summary>
public sealed class ResultPartsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_result_of_two_files_is_published_as_one_model()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        using var uploaded = await service.Api.UploadAsync(SampleModels.Layers(1, 96, 64));
        string source = (string)(await ApiClient.CreatedAsync(uploaded))["id"]!;
        string folder = Directory.CreateDirectory(Path.Combine(service.Folder, "result")).FullName;
        byte[] weights = PartTests.Weights(3);
        string main = Path.Combine(folder, "model.onnx");
        string data = Path.Combine(folder, "model.onnx.data");
        await File.WriteAllBytesAsync(main, PartTests.Graph("model.onnx.data"), Cancellation);
        await File.WriteAllBytesAsync(data, weights, Cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "unrelated"), "no part of it", Cancellation);
        var report = await CompressionRun.RunAsync(
            ModelParts.Beside(main),
            Path.Combine(service.Folder, "small.onnx"),
            ModelFormat.Onnx,
            new CompressionRecipe { Target = new CompressionTarget(TargetKind.Ratio, 2) },
            new RunEnvironment { WorkDirectory = Directory.CreateDirectory(Path.Combine(service.Folder, "work")).FullName },
            progress: null,
            Cancellation);
        string digest = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(main, Cancellation)));

        var made = new ChildResult(report with { DigestAfter = digest }, await ModelInspection.InspectAsync(ResultParts.Of(main), Cancellation), PeakMemoryBytes: 1);
        await using (var scope = service.Scope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
            var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
            var job = new Job { Id = "job_TWO", TenantId = Tenant.Default, ModelId = source, RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };
            await ledger.AcceptAsync(job, _ => Task.CompletedTask, Cancellation);
            var claim = (await ledger.ClaimAsync("job_TWO", "w", Cancellation))!;
            var model = await db.Models.AsNoTracking().SingleAsync(row => row.Id == source, Cancellation);
            Assert.True(await scope.ServiceProvider.GetRequiredService<ResultPublisher>().PublishAsync(claim, model, made, main, Cancellation));
        }

        string result = (string)(await service.Api.GetAsync("/v1/jobs/job_TWO"))["result"]!["model"]!;
        var document = await service.Api.GetAsync($"/v1/models/{result}");
        Assert.Equal(("ready", digest), ((string)document["state"]!, (string)document["sha256"]!));
        Assert.Equal(
            [("model.onnx", true), ("model.onnx.data", false)],
            document["parts"]!.AsArray().Select(part => ((string)part!["name"]!, (bool)part["main"]!)));
        using var content = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{result}/parts/model.onnx.data");
        Assert.Equal(weights, await content.Content.ReadAsByteArrayAsync(Cancellation));

        // It can be compressed again.
        await using var reading = service.Scope();
        var library = reading.ServiceProvider.GetRequiredService<ModelLibrary>();
        using var files = await library.FetchAsync(await library.GetAsync(result, Cancellation), Cancellation);
        using var opened = ModelReader.Open(files.Parts, ReadLimits.Default);
        Assert.Equal(["model.onnx.data"], opened.UsedParts);
    }
}
