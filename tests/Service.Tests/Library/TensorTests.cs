using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Library;

public sealed class TensorTests(TensorTests.WithTensors service) : IClassFixture<TensorTests.WithTensors>
{
    private static readonly (string Name, string Type, int[] Shape, byte[] Bytes, string Descr, byte[] Expected)[] s_tensors =
    [
        ("plain", "F32", [2, 3], Floats(1, 2, 3, 4, 5, 6), "<f4", Floats(1, 2, 3, 4, 5, 6)),
        ("a/b.c", "F16", [2], [0x00, 0x3C, 0x00, 0xC0], "<f2", [0x00, 0x3C, 0x00, 0xC0]),
        ("a%2Fb.c", "I64", [1], [7, 0, 0, 0, 0, 0, 0, 0x80], "<i8", [7, 0, 0, 0, 0, 0, 0, 0x80]),
        ("層 #1?x=y&\u202E+", "BOOL", [3], [1, 0, 1], "|b1", [1, 0, 1]),
        ("../up", "BF16", [3], [0x80, 0x3F, 0x20, 0xC0, 0x01, 0x00], "<f4", [.. Floats(1, -2.5f), 0, 0, 1, 0]),
        ("eight", "F8_E4M3", [2, 1], [0x38, 0xC0], "<f4", Floats(1, -2)),
        ("scalar", "F64", [], [0, 0, 0, 0, 0, 0, 0xF0, 0x3F], "<f8", [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]),
        ("empty", "U8", [0, 4], [], "|u1", []),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_tensor_comes_as_NumPy_would_save_it()
    {
        foreach (var (name, _, shape, _, descr, expected) in s_tensors)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, service.PathOf(name));
            Assert.True(response.StatusCode == HttpStatusCode.OK, name);
            byte[] file = await response.Content.ReadAsByteArrayAsync(Cancellation);
            int header = 10 + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
            Assert.Equal(0, header % 64);
            string dimensions = shape.Length == 1 ? $"({shape[0]},)" : $"({string.Join(", ", shape)})";
            Assert.Equal($"{{'descr': '{descr}', 'fortran_order': False, 'shape': {dimensions}, }}", Encoding.ASCII.GetString(file[10..header]).TrimEnd());
            Assert.Equal(expected, file[header..]);
            Assert.Equal(file.Length, response.Content.Headers.ContentLength);
        }
    }

    [Fact]
    public async Task Parts_conditions_and_heads_work_as_for_any_download()
    {
        string path = service.PathOf("../up");
        using var get = await service.Api.SendAsync(HttpMethod.Get, path);
        byte[] whole = await get.Content.ReadAsByteArrayAsync(Cancellation);
        string tag = get.Headers.ETag!.ToString();
        using var head = await service.Api.SendAsync(HttpMethod.Head, path);
        Assert.Equal((HttpStatusCode.OK, (long?)whole.Length), (head.StatusCode, head.Content.Headers.ContentLength));
        for (int start = 0; start < whole.Length; start += 5)
        {
            int end = int.Min(start + 4, whole.Length - 1);
            using var part = await service.Api.SendAsync(HttpMethod.Get, path, null, ("Range", $"bytes={start}-{end}"), ("If-Range", tag));
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal(whole[start..(end + 1)], await part.Content.ReadAsByteArrayAsync(Cancellation));
        }

        using var known = await service.Api.SendAsync(HttpMethod.Get, path, null, ("If-None-Match", tag));
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        using var outside = await service.Api.SendAsync(HttpMethod.Get, path, null, ("Range", "bytes=9999-"));
        await ApiClient.ProblemAsync(outside, 416, "range_not_satisfiable");
        using var other = await service.Api.SendAsync(HttpMethod.Get, service.PathOf("plain"), null, ("If-None-Match", tag));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task Whoever_reads_a_tensor_slowly_keeps_nobody_from_opening_a_model()
    {
        // More than the connection takes up by itself.
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 4096, 2048));
        var layer = (await service.Api.GetAsync($"/v1/models/{model}/layers"))["layers"]![0]!;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/v1/models/{model}/tensors/{(string)layer["name"]!}", UriKind.Relative));
        var places = service.Services.GetRequiredService<Condense.Service.Library.ModelOpener>().Places;
        var held = new List<HttpResponseMessage>();
        for (int i = places.CurrentCount; i >= 0; i--)
        {
            using var another = new HttpRequestMessage(HttpMethod.Get, request.RequestUri);
            held.Add(await service.Api.Http.SendAsync(another, HttpCompletionOption.ResponseHeadersRead, Cancellation));
        }

        Assert.All(held, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        using var head = await service.Api.SendAsync(HttpMethod.Head, service.PathOf("plain"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal((long)layer["bytes"]! + 128, (await held[0].Content.ReadAsByteArrayAsync(Cancellation)).Length);
        held.ForEach(response => response.Dispose());
    }

    [Fact]
    public async Task An_unknown_name_is_offered_the_nearest()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, service.PathOf("plane"));
        Assert.Contains("plain", (string)(await ApiClient.ProblemAsync(response, 404, "not_found"))["detail"]!, StringComparison.Ordinal);
        using var none = await service.Api.SendAsync(HttpMethod.Get, "/v1/models/mdl_NONE/tensors/plain");
        await ApiClient.ProblemAsync(none, 404, "not_found");
    }

    [Fact]
    public async Task Every_layer_of_the_sample_can_be_fetched_by_its_name()
    {
        string model = await service.Api.AddModelAsync(await File.ReadAllBytesAsync(SampleModels.Path, Cancellation));
        var layers = (await service.Api.GetAsync($"/v1/models/{model}/layers"))["layers"]!.AsArray();
        Assert.NotEmpty(layers);
        foreach (var layer in layers)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/tensors/{Uri.EscapeDataString((string)layer!["name"]!)}");
            byte[] file = await response.Content.ReadAsByteArrayAsync(Cancellation);
            Assert.True(response.IsSuccessStatusCode, Encoding.UTF8.GetString(file));
            Assert.Equal((long)layer["bytes"]!, file.Length - 10 - BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8)));
        }
    }

    private static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>A service with a model of these tensors.</summary>
    public sealed class WithTensors : RunningService, IAsyncLifetime
    {
        internal string Model { get; private set; } = "";

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            var header = new JsonObject();
            using var data = new MemoryStream();
            foreach (var (name, type, shape, bytes, _, _) in s_tensors)
            {
                header[name] = new JsonObject
                {
                    ["dtype"] = type,
                    ["shape"] = new JsonArray([.. shape.Select(dimension => (JsonNode)dimension)]),
                    ["data_offsets"] = new JsonArray(data.Length, data.Length + bytes.Length),
                };
                data.Write(bytes);
            }

            byte[] text = Encoding.UTF8.GetBytes(header.ToJsonString());
            Model = await Api.AddModelAsync([.. BitConverter.GetBytes((long)text.Length), .. text, .. data.ToArray()]);
        }

        internal string PathOf(string name) => $"/v1/models/{Model}/tensors/{Uri.EscapeDataString(name)}";
    }
}
