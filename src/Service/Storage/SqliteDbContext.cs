using Condense.Service.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Condense.Service.Storage;

/// <summary>The tables on SQLite, which can't compare or sort a DateTimeOffset: numbers stand for them.</summary>
internal sealed class SqliteDbContext(DbContextOptions<SqliteDbContext> options, Caller caller) : CondenseDbContext(options, caller)
{
    /// <inheritdoc/>
    protected override string ClockSql => DatabaseClock.Sqlite;

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<DateTimeOffsetToBinaryConverter>();
}
