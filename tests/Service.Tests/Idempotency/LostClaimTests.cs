using System.Globalization;
using Condense.Service.Access;
using Condense.Service.Idempotency;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Condense.Service.Tests.Idempotency;

/// <summary>
/// A request that was silent for too long has lost its key to a repetition. It must not make anything: what it makes and its answer are one
/// transaction, and that one is refused.
/// </summary>
public sealed class LostClaimTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_api_key_is_made()
    {
        await using var scope = await LoseClaimAsync();
        var services = scope.ServiceProvider;
        await RefusedAsync(KeyEndpoints.Create(
            new KeyRequest { Name = "lost", Scopes = [Scope.Admin] },
            new DefaultHttpContext(),
            services.GetRequiredService<IdempotentRequest>(),
            services.GetRequiredService<Caller>(),
            services.GetRequiredService<KeyRing>(),
            services.GetRequiredService<KeyPolicy>(),
            TimeProvider.System));
        Assert.Empty(await services.GetRequiredService<CondenseDbContext>().ApiKeys.ToListAsync(Cancellation));
    }

    [Fact]
    public async Task No_endpoint_is_made()
    {
        await using var scope = await LoseClaimAsync();
        var services = scope.ServiceProvider;
        await RefusedAsync(WebhookEndpoints.Create(
            new WebhookRequest { Url = "https://93.184.216.34/lost" }, services.GetRequiredService<IdempotentRequest>(), services.GetRequiredService<WebhookRegister>(), Cancellation));
        Assert.Empty(await services.GetRequiredService<CondenseDbContext>().WebhookEndpoints.Where(row => row.Url.EndsWith("lost")).ToListAsync(Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_secret_is_replaced(bool isDefault)
    {
        string id = isDefault ? WebhookRegister.Default : (await AddEndpointAsync()).Id;
        string? before = await SecretAsync(id);
        await using var scope = await LoseClaimAsync();
        var services = scope.ServiceProvider;
        await RefusedAsync(WebhookEndpoints.RotateSecret(
            id, services.GetRequiredService<IdempotentRequest>(), services.GetRequiredService<WebhookRegister>(), new DefaultHttpContext()));
        Assert.Equal(before, await SecretAsync(id));
    }

    [Fact]
    public async Task Nothing_is_sent_again()
    {
        var endpoint = await AddEndpointAsync();
        var delivery = new Delivery
        {
            Id = service.Services.GetRequiredService<IdSource>().Next("dlv_"),
            TenantId = Tenant.Default,
            EndpointId = endpoint.Id,
            Type = WebhookEvent.Test,
            Payload = "{}",
            State = DeliveryState.Failed,
            DueAt = 0,
            CreatedAt = endpoint.CreatedAt,
            FinishedAt = endpoint.CreatedAt,
        };
        await using var scope = await LoseClaimAsync();
        var services = scope.ServiceProvider;
        var db = services.GetRequiredService<CondenseDbContext>();
        db.Add(delivery);
        await db.SaveChangesAsync(Cancellation);
        await RefusedAsync(WebhookEndpoints.Replay(
            endpoint.Id, delivery.Id, services.GetRequiredService<IdempotentRequest>(), services.GetRequiredService<WebhookRegister>(), new DefaultHttpContext()));
        Assert.Equal(DeliveryState.Failed, await db.Deliveries.Where(row => row.Id == delivery.Id).Select(row => row.State).SingleAsync(Cancellation));
    }

    [Fact]
    public async Task A_key_that_can_t_be_given_back_hides_no_failure()
    {
        await using var broken = await RunningService.StartAsync();
        await using var scope = broken.Scope();
        var services = scope.ServiceProvider;
        var db = services.GetRequiredService<CondenseDbContext>();
        var middleware = new IdempotencyMiddleware(
            async _ =>
            {
                await db.Database.ExecuteSqlAsync($"ALTER TABLE idempotency RENAME TO away", Cancellation);
                throw new InvalidOperationException("the failure");
            },
            services.GetRequiredService<IServiceScopeFactory>(),
            TimeProvider.System,
            NullLogger<IdempotencyMiddleware>.Instance);
        var http = new DefaultHttpContext { RequestServices = services };
        http.SetEndpoint(new Endpoint(null, null, "test"));
        http.Request.Method = "POST";
        http.Request.Headers[IdempotencyMiddleware.Header] = "k";
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => middleware.InvokeAsync(
            http,
            services.GetRequiredService<Caller>(),
            services.GetRequiredService<IdempotencyKeys>(),
            services.GetRequiredService<IdempotentRequest>(),
            services.GetRequiredService<WriteTransaction>(),
            services.GetRequiredService<Microsoft.Extensions.Options.IOptions<Condense.Service.Hosting.LimitsOptions>>()));
        Assert.Equal("the failure", failure.Message);
    }

    private static async Task RefusedAsync(Task request)
    {
        var problem = await Assert.ThrowsAsync<ProblemException>(() => request);
        Assert.Equal("idempotency_in_progress", problem.Kind.Code);
    }

    /// <summary>The scope of a request whose key somebody else has by now.</summary>
    private async Task<AsyncServiceScope> LoseClaimAsync()
    {
        string key = service.Services.GetRequiredService<IdSource>().Next("test_");
        var scope = service.Scope();
        var keys = scope.ServiceProvider.GetRequiredService<IdempotencyKeys>();
        var (claimedAt, _) = await keys.ClaimAsync(key, Cancellation);
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        await db.IdempotencyRecords.Where(row => row.Key == key).ExecuteUpdateAsync(set => set.SetProperty(row => row.RunningUntil, 1), Cancellation);
        Assert.Null((await keys.ClaimAsync(key, Cancellation)).First);
        scope.ServiceProvider.GetRequiredService<IdempotentRequest>().Held = new IdempotentRequest.Claim(key, claimedAt, KeepsBody: false, () => "");
        return scope;
    }

    private async Task<WebhookEndpoint> AddEndpointAsync()
    {
        await using var scope = service.Scope();
        string path = service.Services.GetRequiredService<IdSource>().Next("p").ToLower(CultureInfo.InvariantCulture);
        return await scope.ServiceProvider.GetRequiredService<WebhookRegister>().AddAsync(new WebhookRequest { Url = $"https://93.184.216.34/{path}", Events = [WebhookEvent.ModelRejected] }, Cancellation);
    }

    private async Task<string?> SecretAsync(string id)
    {
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        return WebhookRegister.IsDefault(id)
            ? (await db.Tenants.AsNoTracking().SingleAsync(row => row.Id == Tenant.Default, Cancellation)).WebhookSecret
            : (await db.WebhookEndpoints.AsNoTracking().SingleAsync(row => row.Id == id, Cancellation)).Secret;
    }
}
