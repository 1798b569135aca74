using Condense.Service.Access;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>The tables on PostgreSQL. Ids are compared byte by byte, as they were made to be, whatever the database's language.</summary>
internal sealed class PostgresDbContext(DbContextOptions<PostgresDbContext> options, Caller caller) : CondenseDbContext(options, caller)
{
    /// <inheritdoc/>
    protected override string ClockSql => DatabaseClock.Postgres;

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<string>().UseCollation("C");
}
