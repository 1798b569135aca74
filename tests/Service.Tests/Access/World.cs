using System.Globalization;
using System.Text.RegularExpressions;
using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Access;

/// <summary>One object of every kind that a tenant can have, and how addresses name them.</summary>
internal sealed partial class World
{
    private readonly Dictionary<string, string> _ids = new(StringComparer.Ordinal);

    /// <summary>All ids.</summary>
    public IReadOnlyCollection<string> Ids => _ids.Values;

    /// <summary>Those that a list without a parent shows.</summary>
    public IEnumerable<string> Listed => _ids.Where(pair => pair.Key is not ("deliveries" or "uploads")).Select(pair => pair.Value);

    /// <summary>The id of that kind, by the first word of its address.</summary>
    public string this[string kind] => _ids[kind];

    /// <summary>Makes everything for the tenant of a client.</summary>
    public static async Task<World> MakeAsync(ApiClient client, KeyedService service, IReadOnlyCollection<EndpointUnderTest> endpoints)
    {
        var world = new World();
        world._ids["models"] = await client.AddModelAsync(SampleModels.Layers(1, 64, 48));
        using (var dataset = await client.SendAsync(HttpMethod.Post, "/v1/datasets?name=counts", ApiClient.Json("""{"counts":[1,2,3]}""")))
        {
            world._ids["datasets"] = (string)(await ApiClient.CreatedAsync(dataset))["id"]!;
        }

        world._ids["jobs"] = await client.AddJobAsync(world["models"], 1.5);
        var job = await client.EndAsync(world["jobs"]);
        Assert.Equal("succeeded", (string?)job["state"]);
        world._ids["results"] = (string)job["result"]!["model"]!;

        // Not the one that the client shows: one of the endpoints takes it away.
        string shown = (string)(await client.GetAsync("/v1/api-keys"))["data"]![0]!["id"]!;
        await service.MakeAsync(await TenantOfAsync(service, shown), null, Scope.JobsRead);
        world._ids["api-keys"] = (string)(await client.GetAsync("/v1/api-keys"))["data"]![0]!["id"]!;
        await world.AddWebhookAsync(client);
        if (endpoints.Any(endpoint => endpoint.Template == "/v1/uploads/{id}"))
        {
            await world.AddUploadsAsync(client);
        }

        return world;
    }

    /// <summary>The path of an endpoint with this tenant's ids, and which they are.</summary>
    public (string Path, IReadOnlyList<string> Ids) Fill(EndpointUnderTest endpoint)
    {
        string kind = endpoint.Template.Split('/')[2];
        if (endpoint.Template.StartsWith("/v1/models/{id}/parts", StringComparison.Ordinal) || endpoint.Template == "/v1/models/{id}/commit")
        {
            kind = "receiving";
        }

        var used = new List<string>();
        string path = Placeholder().Replace(endpoint.Template, match =>
        {
            string name = match.Groups["name"].Value;
            if (name == "id" && _ids.TryGetValue(kind, out string? id))
            {
                used.Add(id);
                return id;
            }

            switch (name)
            {
                case "delivery":
                    used.Add(this["deliveries"]);
                    return this["deliveries"];
                case "name" when kind is "models" or "receiving":
                    return "layers.0.weight";
            }

            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"{endpoint} has no recipe: say in World what {{{name}}} of /{kind} is."));
            return "";
        });
        return (path, used);
    }

    /// <summary>Nobody listens on port 9: the delivery fails, and stays.</summary>
    private async Task AddWebhookAsync(ApiClient client)
    {
        using var made = await client.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json("""{"url":"http://127.0.0.1:9/hook"}"""));
        _ids["webhooks"] = (string)(await ApiClient.CreatedAsync(made))["id"]!;
        using var tried = await client.SendAsync(HttpMethod.Post, $"/v1/webhooks/{this["webhooks"]}/test");
        string text = await tried.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(tried.IsSuccessStatusCode, text);
        _ids["deliveries"] = (string)System.Text.Json.Nodes.JsonNode.Parse(text)!["id"]!;
    }

    private async Task AddUploadsAsync(ApiClient client)
    {
        using var begun = await client.SendAsync(HttpMethod.Post, "/v1/uploads", null, ("Tus-Resumable", "1.0.0"), ("Upload-Length", "10"));
        Assert.True(begun.IsSuccessStatusCode, await begun.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        _ids["uploads"] = begun.Headers.Location!.ToString().Split('/')[^1];
        using var model = await client.SendAsync(HttpMethod.Post, "/v1/models?parts=true");
        _ids["receiving"] = (string)(await ApiClient.CreatedAsync(model))["id"]!;
        using var part = await client.SendAsync(
            HttpMethod.Post, $"/v1/models/{this["receiving"]}/parts?name=layers.0.weight", ApiClient.Bytes(SampleModels.Layers(1, 64, 48)));
        Assert.True(part.IsSuccessStatusCode, await part.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<string> TenantOfAsync(KeyedService service, string key)
    {
        await using var scope = service.Scope();
        var keys = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().ApiKeys;
        return (await keys.IgnoreQueryFilters().SingleAsync(row => row.Id == key, TestContext.Current.CancellationToken)).TenantId;
    }

    [GeneratedRegex(@"\{\**(?<name>[A-Za-z]+)[^}]*\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Placeholder();
}
