using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Condense.Service.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Webhooks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "previous_webhook_secret",
                table: "tenant",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "previous_webhook_secret_until",
                table: "tenant",
                type: "timestamp with time zone",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "previous_webhook_secret",
                table: "tenant");

            migrationBuilder.DropColumn(
                name: "previous_webhook_secret_until",
                table: "tenant");
        }
    }
}
