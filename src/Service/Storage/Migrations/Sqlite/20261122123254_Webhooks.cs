using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Condense.Service.Storage.Migrations.Sqlite
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
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "previous_webhook_secret_until",
                table: "tenant",
                type: "INTEGER",
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
