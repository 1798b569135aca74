using System.Net;
using System.Security.Cryptography;
using Condense.Models;
using Condense.Models.Rewriting;
using Xunit;

namespace Condense.Service.Tests.Library;

/// <summary>The dense form of a result: the original's file with the result's weights.</summary>
public sealed class FormTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_result_has_a_dense_form_which_a_worker_makes_once()
    {
        byte[] original = SampleModels.Layers(2, 96, 64);
        string result = await CompressAsync(original);
        using var first = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{result}/content?form=dense");
        Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), first.Headers.RetryAfter?.Delta);
        Assert.Empty(await first.Content.ReadAsByteArrayAsync(Cancellation));

        byte[] dense = await DenseAsync(result);
        Assert.NotEqual(original, dense);
        Assert.Equal(await ExpandAsync(original, await ContentAsync(result)), dense);

        using var again = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{result}/content?form=dense", null, ("Range", "bytes=0-9"));
        Assert.Equal(HttpStatusCode.PartialContent, again.StatusCode);
        Assert.Equal(dense[..10], await again.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal($"\"sha256-{Convert.ToHexStringLower(SHA256.HashData(dense))}\"", again.Headers.ETag?.ToString());
        Assert.Equal($"{result}-dense.safetensors", again.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal(await ContentAsync(result), await ContentAsync(result, "?form=portable"));
    }

    [Fact]
    public async Task The_bytes_of_a_form_go_with_its_model()
    {
        string result = await CompressAsync(SampleModels.Layers(1, 96, 64, seed: 7));
        long before = await StoredBytesAsync();
        long own = (await ContentAsync(result)).Length;
        long dense = (await DenseAsync(result)).Length;
        Assert.Equal(before + dense, await StoredBytesAsync());
        using var deleted = await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{result}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(before - own, await StoredBytesAsync());
    }

    [Fact]
    public async Task Without_its_original_a_result_has_no_dense_form()
    {
        string source = await service.Api.AddModelAsync(SampleModels.Layers(1, 96, 64, seed: 8));
        string result = (string)(await service.Api.EndAsync(await service.Api.AddJobAsync(source, 3)))["result"]!["model"]!;
        using var deleted = await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{source}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var refused = await MadeAsync(result);
        var problem = await ApiClient.ProblemAsync(refused, 404, "not_found");
        Assert.Contains(source, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dense", "uploaded as it is")]
    [InlineData("archive", "One of portable, dense belongs here.")]
    public async Task An_uploaded_model_has_the_form_that_it_came_in(string form, string detail)
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 40, 30));
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content?form={form}");
        var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
        Assert.Equal("?form", (string?)problem["errors"]![0]!["pointer"]);
        Assert.Contains(detail, (string)problem["errors"]![0]!["detail"]!, StringComparison.Ordinal);
    }

    private async Task<string> CompressAsync(byte[] original) =>
        (string)(await service.Api.EndAsync(await service.Api.AddJobAsync(
            $$"""{"model":"{{await service.Api.AddModelAsync(original)}}","target":{"ratio":3},"output":{"form":"portable"} }""")))["result"]!["model"]!;

    private async Task<byte[]> ContentAsync(string model, string query = "")
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content{query}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync(Cancellation);
    }

    private async Task<byte[]> DenseAsync(string model)
    {
        using var response = await MadeAsync(model);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync(Cancellation);
    }

    /// <summary>The first answer that is not "not yet".</summary>
    private async Task<HttpResponseMessage> MadeAsync(string model)
    {
        while (true)
        {
            var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content?form=dense");
            if (response.StatusCode != HttpStatusCode.Accepted)
            {
                return response;
            }

            response.Dispose();
            await Task.Delay(100, Cancellation);
        }
    }

    private async Task<long> StoredBytesAsync() => (long)(await service.Api.GetAsync("/v1/usage"))["storedBytes"]!;

    private async Task<byte[]> ExpandAsync(byte[] original, byte[] compressed)
    {
        string folder = Directory.CreateDirectory(Path.Combine(service.Folder, "expand")).FullName;
        string[] paths = [Path.Combine(folder, "original"), Path.Combine(folder, "compressed"), Path.Combine(folder, "dense")];
        await File.WriteAllBytesAsync(paths[0], original, Cancellation);
        await File.WriteAllBytesAsync(paths[1], compressed, Cancellation);
        using var before = ModelReader.Open(ModelParts.Single(paths[0]), ReadLimits.Default);
        using var after = ModelReader.Open(ModelParts.Single(paths[1]), ReadLimits.Default);
        using var dense = ModelRewriter.Expand(before, after);
        await ModelWriter.WriteAsync(dense, paths[2], Cancellation);
        return await File.ReadAllBytesAsync(paths[2], Cancellation);
    }
}
