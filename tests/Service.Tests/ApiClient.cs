using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests;

/// <summary>Speaks to a service as a client would: HTTP and plain JSON, none of the service's own types.</summary>
internal sealed class ApiClient(Uri address) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);

    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = address, Timeout = s_patience };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Http.Dispose();

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        var response = await Http.SendAsync(request, Cancellation);
        await Contract.CheckAsync(response, Cancellation);
        return response;
    }

    public async Task<JsonNode> GetAsync(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {text}");
        return JsonNode.Parse(text)!;
    }

    public static HttpContent Bytes(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    public static HttpContent Json(string json) => new StringContent(json, Encoding.UTF8, "application/json");

    public Task<HttpResponseMessage> UploadAsync(byte[] bytes, string query = "", params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, $"/v1/models{query}", Bytes(bytes), headers);

    /// <summary>Uploads a model and waits until it is judged; its id.</summary>
    public async Task<string> AddModelAsync(byte[] bytes, string expected = "ready")
    {
        using var response = await UploadAsync(bytes);
        string id = (string)(await CreatedAsync(response))["id"]!;
        await UntilAsync($"/v1/models/{id}", model => (string?)model["state"] == expected);
        return id;
    }

    /// <summary>Starts a job; its id.</summary>
    public async Task<string> AddJobAsync(string json)
    {
        using var response = await SendAsync(HttpMethod.Post, "/v1/jobs", Json(json));
        return (string)(await CreatedAsync(response))["id"]!;
    }

    public Task<string> AddJobAsync(string model, double ratio, int priority = 5) =>
        AddJobAsync(new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = ratio }, ["priority"] = priority }.ToJsonString());

    public Task<JsonNode> EndAsync(string job) =>
        UntilAsync($"/v1/jobs/{job}", document => (string?)document["state"] is "succeeded" or "failed" or "canceled" or "expired");

    /// <summary>Waits until the service is ready again.</summary>
    public async Task UntilReadyAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var response = await SendAsync(HttpMethod.Get, "/readyz");
            if (response.IsSuccessStatusCode)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The service does not become ready again.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }

    /// <summary>Asks until the document is as wanted.</summary>
    public async Task<JsonNode> UntilAsync(string path, Func<JsonNode, bool> condition, TimeSpan? patience = null)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var document = await GetAsync(path);
            if (condition(document))
            {
                return document;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < (patience ?? s_patience), $"{path} stays {document.ToJsonString()}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }

    public static async Task<JsonNode> CreatedAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.Created, text);
        var document = JsonNode.Parse(text)!;
        Assert.EndsWith((string)document["id"]!, response.Headers.Location!.ToString(), StringComparison.Ordinal);
        return document;
    }

    /// <summary>The problem of an answer: the right type, status and code, and every field that a client may count on.</summary>
    public static async Task<JsonNode> ProblemAsync(HttpResponseMessage response, int status, string code)
    {
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal(status, (int)problem["status"]!);
        Assert.NotEmpty((string)problem["title"]!);
        Assert.NotEmpty((string)problem["detail"]!);
        Assert.NotEmpty((string)problem["traceId"]!);
        Assert.NotNull(problem["retryable"]);
        return problem;
    }
}
