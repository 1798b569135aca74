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

    /// <summary>The id of that kind, by the first word of its address.</summary>
    public string this[string kind] => _ids[kind];

    /// <summary>Makes everything for the tenant of a client.</summary>
    public static async Task<World> MakeAsync(ApiClient client, KeyedService service)
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
        return world;
    }

    /// <summary>The path of an endpoint with this tenant's ids, and which they are.</summary>
    public (string Path, IReadOnlyList<string> Ids) Fill(EndpointUnderTest endpoint)
    {
        string kind = endpoint.Template.Split('/')[2];
        var used = new List<string>();
        string path = Placeholder().Replace(endpoint.Template, match =>
        {
            string name = match.Groups["name"].Value;
            if (name == "id" && _ids.TryGetValue(kind, out string? id))
            {
                used.Add(id);
                return id;
            }

            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"{endpoint} has no recipe: say in World what {{{name}}} of /{kind} is."));
            return "";
        });
        return (path, used);
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
