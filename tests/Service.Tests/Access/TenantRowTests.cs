using System.Net;
using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class TenantRowTests(KeyedService service) : IClassFixture<KeyedService>
{
    [Fact]
    public async Task Every_table_of_tenants_is_filtered_and_the_others_hang_on_one()
    {
        await using var scope = service.Services.CreateAsyncScope();
        var model = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Model;
        foreach (var type in model.GetEntityTypes().Where(type => type.ClrType != typeof(Tenant)))
        {
            bool owned = type.ClrType.IsAssignableTo(typeof(ITenantOwned));
            Assert.True(!owned || type.GetDeclaredQueryFilters().Count > 0, $"{type.ClrType.Name} belongs to a tenant, and queries of others see it.");

            // Bytes are reached by an artifact's blob only; all else by a row of a tenant.
            Assert.True(
                owned || type.ClrType == typeof(ArtifactChunk) || type.GetForeignKeys().Any(key => key.PrincipalEntityType.ClrType.IsAssignableTo(typeof(ITenantOwned))),
                $"{type.ClrType.Name} belongs to nobody.");
        }
    }

    [Fact]
    public async Task Who_is_nobody_sees_nothing()
    {
        using var admin = service.With(KeyedService.FirstKey);
        await admin.AddModelAsync(SampleModels.Layers(1, 64, 48, seed: 9));
        await using var nobody = service.Services.CreateAsyncScope();
        var db = nobody.ServiceProvider.GetRequiredService<CondenseDbContext>();
        Assert.Empty(await db.Models.ToListAsync(TestContext.Current.CancellationToken));
        Assert.Empty(await db.ApiKeys.ToListAsync(TestContext.Current.CancellationToken));
        Assert.NotEmpty(await db.Models.IgnoreQueryFilters().ToListAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Else whoever uploads a file would learn from the answer, or from what it costs, that somebody else has it.</summary>
    [Fact]
    public async Task The_same_bytes_of_two_tenants_are_two_artifacts()
    {
        byte[] bytes = SampleModels.Layers(1, 64, 48, seed: 77);
        using var one = service.With(await service.MakeAsync("twin-one", null, Scope.Admin));
        using var other = service.With(await service.MakeAsync("twin-other", null, Scope.Admin));
        string first = await one.AddModelAsync(bytes);
        string second = await other.AddModelAsync(bytes);
        string sha256 = (string)(await one.GetAsync($"/v1/models/{first}"))["sha256"]!;

        await using (var scope = service.Scope())
        {
            var blobs = await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Artifacts.IgnoreQueryFilters()
                .Where(row => row.Sha256 == sha256).Select(row => row.BlobId).ToListAsync(TestContext.Current.CancellationToken);
            Assert.Equal(2, blobs.Distinct(StringComparer.Ordinal).Count());
        }

        using var deleted = await one.SendAsync(HttpMethod.Delete, $"/v1/models/{first}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var content = await other.SendAsync(HttpMethod.Get, $"/v1/models/{second}/content");
        Assert.Equal(bytes, await content.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }
}
