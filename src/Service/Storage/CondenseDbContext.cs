using Condense.Service.Access;
using Condense.Service.Datasets;
using Condense.Service.Idempotency;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Condense.Service.Uploads;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;

namespace Condense.Service.Storage;

/// <summary>
/// The service's tables; one derived context per database, each with its own migrations. Rows that belong to a tenant are seen on behalf of
/// that tenant only; whoever works for all of them says so with <c>IgnoreQueryFilters</c>.
/// </summary>
internal abstract class CondenseDbContext(DbContextOptions options, Caller caller) : DbContext(options)
{
    private const int WordLength = 16;

    /// <summary>Owners.</summary>
    public DbSet<Tenant> Tenants => Set<Tenant>();

    /// <summary>Keys.</summary>
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    /// <summary>First answers.</summary>
    public DbSet<IdempotencyRecord> IdempotencyRecords => Set<IdempotencyRecord>();

    /// <summary>Stored bytes.</summary>
    public DbSet<Artifact> Artifacts => Set<Artifact>();

    /// <summary>Bytes that lie in the database.</summary>
    public DbSet<ArtifactChunk> Chunks => Set<ArtifactChunk>();

    /// <summary>Uploads that are not whole.</summary>
    public DbSet<UploadSession> Uploads => Set<UploadSession>();

    /// <summary>Models.</summary>
    public DbSet<StoredModel> Models => Set<StoredModel>();

    /// <summary>Files of models of several files.</summary>
    public DbSet<ModelPart> Parts => Set<ModelPart>();

    /// <summary>Other forms of models.</summary>
    public DbSet<StoredForm> Forms => Set<StoredForm>();

    /// <summary>What the inspection of a model found.</summary>
    public DbSet<StoredInspection> Inspections => Set<StoredInspection>();

    /// <summary>Datasets.</summary>
    public DbSet<Dataset> Datasets => Set<Dataset>();

    /// <summary>Jobs.</summary>
    public DbSet<Job> Jobs => Set<Job>();

    /// <summary>The clients' own names and values of jobs.</summary>
    public DbSet<JobMetadata> JobMetadata => Set<JobMetadata>();

    /// <summary>Tries of jobs.</summary>
    public DbSet<Attempt> Attempts => Set<Attempt>();

    /// <summary>What happened to jobs.</summary>
    public DbSet<JobEvent> Events => Set<JobEvent>();

    /// <summary>Layers that any worker may take.</summary>
    public DbSet<LayerUnit> Units => Set<LayerUnit>();

    /// <summary>Finished layers.</summary>
    public DbSet<Checkpoint> Checkpoints => Set<Checkpoint>();

    /// <summary>Reports of succeeded jobs.</summary>
    public DbSet<StoredReport> Reports => Set<StoredReport>();

    /// <summary>Where tenants want to be told.</summary>
    public DbSet<WebhookEndpoint> WebhookEndpoints => Set<WebhookEndpoint>();

    /// <summary>The outbox of webhooks.</summary>
    public DbSet<Delivery> Deliveries => Set<Delivery>();

    /// <summary>What <see cref="DatabaseClock.Milliseconds"/> is in this database's language.</summary>
    protected abstract string ClockSql { get; }

    /// <summary>The tenant that queries see.</summary>
    private string? TenantId => caller.TenantId;

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        MapAccess(modelBuilder);
        MapLibrary(modelBuilder);
        MapJobs(modelBuilder);
        MapWebhooks(modelBuilder);
        SnakeCase.Apply(modelBuilder);
        modelBuilder.HasDbFunction(() => DatabaseClock.Milliseconds()).HasTranslation(_ => new SqlFragmentExpression(ClockSql, typeof(long), new LongTypeMapping("bigint")));
    }

    private void MapAccess(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Tenant>().ToTable("tenant").HasKey(row => row.Id);
        var key = Owned<ApiKey>(modelBuilder, "api_key");
        key.HasKey(row => row.Id);
        key.HasIndex(row => row.Sha256).IsUnique();
        var record = Owned<IdempotencyRecord>(modelBuilder, "idempotency");
        record.HasKey(row => new { row.TenantId, row.Key });
        record.HasIndex(row => row.CreatedAt);
    }

    private void MapLibrary(ModelBuilder modelBuilder)
    {
        Owned<Artifact>(modelBuilder, "artifact").HasKey(row => new { row.TenantId, row.Sha256 });
        modelBuilder.Entity<ArtifactChunk>().ToTable("artifact_chunk").HasKey(row => new { row.BlobId, row.Offset });
        var upload = Owned<UploadSession>(modelBuilder, "upload");
        upload.HasKey(row => row.Id);
        upload.HasIndex(row => row.ExpiresAt);
        var model = Owned<StoredModel>(modelBuilder, "model");
        model.HasKey(row => row.Id);
        model.Property(row => row.State).HasConversion<string>().HasMaxLength(WordLength);
        model.Property(row => row.Format).HasConversion<string>().HasMaxLength(WordLength);
        model.HasOne<Artifact>().WithMany().HasForeignKey(row => new { row.TenantId, row.Sha256 }).OnDelete(DeleteBehavior.Restrict);
        model.HasIndex(row => new { row.TenantId, row.Id });
        modelBuilder.Entity<ModelPart>(part =>
        {
            part.ToTable("model_part");
            part.HasKey(row => new { row.ModelId, row.Name });
            part.HasOne<StoredModel>().WithMany(row => row.Parts).HasForeignKey(row => row.ModelId).OnDelete(DeleteBehavior.Cascade);
            part.HasOne<Artifact>().WithMany().HasForeignKey(row => new { row.TenantId, row.Sha256 }).OnDelete(DeleteBehavior.Restrict);
        });
        model.Navigation(row => row.Parts).AutoInclude();
        var form = Owned<StoredForm>(modelBuilder, "model_form");
        form.HasKey(row => new { row.ModelId, row.Form });
        form.Property(row => row.Form).HasConversion<string>().HasMaxLength(WordLength);
        form.Property(row => row.State).HasConversion<string>().HasMaxLength(WordLength);
        form.HasOne<StoredModel>().WithMany().HasForeignKey(row => row.ModelId).OnDelete(DeleteBehavior.Cascade);
        form.HasOne<Artifact>().WithMany().HasForeignKey(row => new { row.TenantId, row.Sha256 }).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<StoredInspection>(inspection =>
        {
            inspection.ToTable("inspection");
            inspection.HasKey(row => row.ModelId);
            inspection.HasOne<StoredModel>().WithOne().HasForeignKey<StoredInspection>(row => row.ModelId).OnDelete(DeleteBehavior.Cascade);
        });
        var dataset = Owned<Dataset>(modelBuilder, "dataset");
        dataset.HasKey(row => row.Id);
        dataset.HasOne<Artifact>().WithMany().HasForeignKey(row => new { row.TenantId, row.Sha256 }).OnDelete(DeleteBehavior.Restrict);
        dataset.HasIndex(row => new { row.TenantId, row.Id });
    }

    private void MapJobs(ModelBuilder modelBuilder)
    {
        var job = Owned<Job>(modelBuilder, "job");
        job.HasKey(row => row.Id);
        job.Property(row => row.State).HasConversion<string>().HasMaxLength(WordLength);
        job.HasIndex(row => new { row.TenantId, row.Id });
        job.HasIndex(row => new { row.TenantId, row.State, row.Id });
        job.HasIndex(row => new { row.ModelId, row.Id });
        job.HasIndex(row => row.DatasetId);
        job.HasIndex(row => new { row.State, row.LeaseUntil });
        job.HasIndex(row => new { row.State, row.ExpiresAt }).HasFilter("state = 'Queued' AND expires_at IS NOT NULL");
        modelBuilder.Entity<JobMetadata>(metadata =>
        {
            metadata.ToTable("job_metadata");
            metadata.HasKey(row => new { row.JobId, row.Key });
            metadata.HasOne<Job>().WithMany().HasForeignKey(row => row.JobId).OnDelete(DeleteBehavior.Cascade);
            metadata.HasIndex(row => new { row.Key, row.Value, row.JobId });
        });
        modelBuilder.Entity<Attempt>(attempt =>
        {
            attempt.ToTable("attempt");
            attempt.HasKey(row => new { row.JobId, row.Number });
            attempt.HasOne<Job>().WithMany().HasForeignKey(row => row.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<JobEvent>(item =>
        {
            item.ToTable("event");
            item.HasKey(row => new { row.JobId, row.Sequence });
            item.HasOne<Job>().WithMany().HasForeignKey(row => row.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<LayerUnit>(unit =>
        {
            unit.ToTable("layer_unit");
            unit.HasKey(row => new { row.JobId, row.Token, row.Stage, row.Layer });
            unit.HasOne<Job>().WithMany().HasForeignKey(row => row.JobId).OnDelete(DeleteBehavior.Cascade);
            unit.HasIndex(row => new { row.IsDone, row.LeaseUntil });
        });
        var checkpoint = Owned<Checkpoint>(modelBuilder, "checkpoint");
        checkpoint.HasKey(row => new { row.TenantId, row.Key });
        checkpoint.HasIndex(row => row.UsedAt);
        modelBuilder.Entity<StoredReport>(report =>
        {
            report.ToTable("report");
            report.HasKey(row => row.JobId);
            report.HasOne<Job>().WithOne().HasForeignKey<StoredReport>(row => row.JobId).OnDelete(DeleteBehavior.Cascade);
        });
    }

    private void MapWebhooks(ModelBuilder modelBuilder)
    {
        Owned<WebhookEndpoint>(modelBuilder, "webhook_endpoint").HasKey(row => row.Id);
        var delivery = Owned<Delivery>(modelBuilder, "delivery");
        delivery.HasKey(row => row.Id);
        delivery.Property(row => row.State).HasMaxLength(WordLength);
        delivery.HasIndex(row => new { row.State, row.DueAt });
        delivery.HasIndex(row => new { row.TenantId, row.State, row.DueAt, row.Id });
        delivery.HasIndex(row => new { row.EndpointId, row.Id });
        delivery.HasOne<WebhookEndpoint>().WithMany().HasForeignKey(row => row.EndpointId).OnDelete(DeleteBehavior.Cascade);
    }

    /// <summary>A table of rows that belong to a tenant. What data of version 0.2 holds belongs to the default one.</summary>
    private EntityTypeBuilder<T> Owned<T>(ModelBuilder modelBuilder, string table)
        where T : class, ITenantOwned
    {
        var entity = modelBuilder.Entity<T>();
        entity.ToTable(table);
        entity.Property(row => row.TenantId).HasDefaultValue(Tenant.Default);
        entity.HasQueryFilter(row => row.TenantId == TenantId);
        return entity;
    }
}
