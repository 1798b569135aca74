using Condense.Service.Datasets;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Condense.Service.Storage;

/// <summary>The service's tables. SQLite can't compare or sort a DateTimeOffset: numbers stand for them.</summary>
internal sealed class CondenseDbContext(DbContextOptions<CondenseDbContext> options) : DbContext(options)
{
    private const int WordLength = 16;

    /// <summary>Stored bytes.</summary>
    public DbSet<Artifact> Artifacts => Set<Artifact>();

    /// <summary>Models.</summary>
    public DbSet<StoredModel> Models => Set<StoredModel>();

    /// <summary>What the inspection of a model found.</summary>
    public DbSet<StoredInspection> Inspections => Set<StoredInspection>();

    /// <summary>Datasets.</summary>
    public DbSet<Dataset> Datasets => Set<Dataset>();

    /// <summary>Jobs.</summary>
    public DbSet<Job> Jobs => Set<Job>();

    /// <summary>Tries of jobs.</summary>
    public DbSet<Attempt> Attempts => Set<Attempt>();

    /// <summary>What happened to jobs.</summary>
    public DbSet<JobEvent> Events => Set<JobEvent>();

    /// <summary>Reports of succeeded jobs.</summary>
    public DbSet<StoredReport> Reports => Set<StoredReport>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<DateTimeOffsetToBinaryConverter>();

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Artifact>(artifact =>
        {
            artifact.ToTable("artifact");
            artifact.HasKey(row => row.Sha256);
        });
        modelBuilder.Entity<StoredModel>(model =>
        {
            model.ToTable("model");
            model.HasKey(row => row.Id);
            model.Property(row => row.State).HasConversion<string>().HasMaxLength(WordLength);
            model.Property(row => row.Format).HasConversion<string>().HasMaxLength(WordLength);
            model.HasOne<Artifact>().WithMany().HasForeignKey(row => row.Sha256).OnDelete(DeleteBehavior.Restrict);
        });
        modelBuilder.Entity<StoredInspection>(inspection =>
        {
            inspection.ToTable("inspection");
            inspection.HasKey(row => row.ModelId);
            inspection.HasOne<StoredModel>().WithOne().HasForeignKey<StoredInspection>(row => row.ModelId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<Dataset>(dataset =>
        {
            dataset.ToTable("dataset");
            dataset.HasKey(row => row.Id);
            dataset.HasOne<Artifact>().WithMany().HasForeignKey(row => row.Sha256).OnDelete(DeleteBehavior.Restrict);
        });
        modelBuilder.Entity<Job>(job =>
        {
            job.ToTable("job");
            job.HasKey(row => row.Id);
            job.Property(row => row.State).HasConversion<string>().HasMaxLength(WordLength);
            job.HasIndex(row => new { row.State, row.Id });
            job.HasIndex(row => new { row.ModelId, row.Id });
            job.HasIndex(row => row.DatasetId);
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
        modelBuilder.Entity<StoredReport>(report =>
        {
            report.ToTable("report");
            report.HasKey(row => row.JobId);
            report.HasOne<Job>().WithOne().HasForeignKey<StoredReport>(row => row.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        SnakeCase.Apply(modelBuilder);
    }
}
