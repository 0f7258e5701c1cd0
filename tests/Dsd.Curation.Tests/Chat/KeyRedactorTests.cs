using System.Net;
using System.Text;
using System.Text.Json;
using Dsd.Curation.Chat;

namespace Dsd.Curation.Tests.Chat;

public class KeyRedactorTests
{
    private const string Key = "sk-zqxj/Se+cret=99_never-to-be-seen";

    public static TheoryData<string, string> Forms => new()
    {
        { "as it is", Key },
        { "JSON with its slash escaped", Key.Replace("/", "\\/", StringComparison.Ordinal) },
        { "JSON's default", JsonSerializer.Serialize(Key)[1..^1] },
        { "JSON with small digits", Key.Replace("+", "\\u002b", StringComparison.Ordinal).Replace("/", "\\u002f", StringComparison.Ordinal) },
        { "JSON with all as digits", string.Concat(Key.Select(c => $"\\u{(int)c:X4}")) },
        { "JSON within JSON", JsonSerializer.Serialize(JsonSerializer.Serialize(Key)) },
        { "JSON within JSON within JSON", JsonSerializer.Serialize(JsonSerializer.Serialize(JsonSerializer.Serialize(Key))) },
        { "Python's bytes", string.Concat(Key.Select(c => $"\\x{(int)c:x2}")) },
        { "an address", Uri.EscapeDataString(Key) },
        { "an address with small digits", Uri.EscapeDataString(Key).Replace("%2B", "%2b", StringComparison.Ordinal)
            .Replace("%2F", "%2f", StringComparison.Ordinal) },
        { "an address twice", Uri.EscapeDataString(Uri.EscapeDataString(Key)) },
        { "an address with all as digits", string.Concat(Key.Select(c => $"%{(int)c:X2}")) },
        { "HTML", WebUtility.HtmlEncode(Key) },
        { "HTML with all as digits", string.Concat(Key.Select(c => $"&#{(int)c};")) },
        { "HTML with hexadecimal digits", string.Concat(Key.Select(c => $"&#x{(int)c:x};")) },
        { "base64", Base64(Key) },
        { "base64 of a user and it", Base64($"user:{Key}") },
        { "base64 of another user and it", Base64($"ab:{Key}") },
        { "base64 of it and a colon", Base64($"{Key}:") },
        { "base64 for addresses", Base64($"me:{Key}").Replace('+', '-').Replace('/', '_').TrimEnd('=') },
        { "base64 in JSON", JsonSerializer.Serialize(Base64(Key)) },
        { "hexadecimal digits", Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Key)) },
        { "capitals", Key.ToUpperInvariant() },
        { "two lines", Key.Insert(12, "\r\n    ") },
        { "two texts", Key.Insert(12, "\", \"") },
        { "letters with spaces", string.Join(' ', Key.ToCharArray()) },
        { "unseen characters", string.Join('\u200b', Key.ToCharArray()) },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Hide_TakesTheKeyOutInEveryForm(string form, string text)
    {
        string hidden = new KeyRedactor(Key).Hide($"Incorrect key provided: '{text}' ({form}), find yours at https://example.com/keys.");

        Assert.StartsWith("Incorrect key provided: '", hidden, StringComparison.Ordinal);
        Assert.EndsWith($"({form}), find yours at https://example.com/keys.", hidden, StringComparison.Ordinal);
        Assert.Contains(KeyRedactor.Mark, hidden, StringComparison.Ordinal);
        // Nothing of it is left but what stood between or beside its letters.
        string left =
            hidden["Incorrect key provided: '".Length..hidden.IndexOf("' (", StringComparison.Ordinal)].Replace(KeyRedactor.Mark, "", StringComparison.Ordinal);
        Assert.True(left.Length <= 32, left);
        Assert.DoesNotContain("cret", left, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("seen", left, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Hide_TakesPartsOut_ThatSayTooMuch()
    {
        string hidden = new KeyRedactor(Key).Hide("First sk-zqxj/Se+cr, then et=99_never-to, last -be-seen. Keys begin with sk-.");

        Assert.DoesNotContain("zqxj", hidden, StringComparison.Ordinal);
        Assert.DoesNotContain("never", hidden, StringComparison.Ordinal);
        Assert.EndsWith("Keys begin with sk-.", hidden, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Rate limit reached for requests. Visit https://platform.openai.com/account/rate-limits to learn more.")]
    [InlineData("{\"subject\":\"a fox\",\"description_a\":\"seen from the side\",\"differences\":[],\"same\":true}")]
    [InlineData("")]
    public void Hide_LeavesOtherTextsAsTheyAre(string text) => Assert.Same(text, new KeyRedactor(Key).Hide(text));

    [Theory]
    [InlineData("a/b+c=", "the key a/b+c= is wrong", "the key [key] is wrong")]
    [InlineData("a/b+c=", "the key a\\/b\\u002bc= is wrong", "the key [key] is wrong")]
    [InlineData("a/b+c=", "the key YS9iK2M9 is wrong", "the key [key]M9 is wrong")]
    [InlineData("fox", "fox is no key of foxes", "[key] is no key of foxes")]
    public void Hide_FindsAShortKeyAsItIs(string key, string text, string expected)
    {
        string hidden = new KeyRedactor(key).Hide(text);

        Assert.DoesNotContain(key == "fox" ? "fox is" : key, hidden, StringComparison.Ordinal);
        Assert.StartsWith(expected[..expected.IndexOf(']')], hidden, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", "none")]
    [InlineData("a/b+c=", "[key]")]
    [InlineData("sk-12345678", "[key]")]
    public void HideInAnswer_LeavesAWordThatIsSentForAKey(string key, string expected) => Assert.Equal(expected, new KeyRedactor(key).HideInAnswer(key));

    [Fact]
    public void Hide_WithoutAKey_ChangesNothing() => Assert.Equal("[key] %41 \\u0041", new KeyRedactor(null).Hide("[key] %41 \\u0041"));

    [Fact]
    public void Hide_OfRandomKeysInRandomForms_LeavesNone()
    {
        Random random = new(5);
        for (int i = 0; i < 500; i++)
        {
            string key = string.Concat(Enumerable.Range(0, random.Next(12, 60)).Select(_ => (char)random.Next('!', '~' + 1)));
            if (key.Count(char.IsAsciiLetterOrDigit) < 8)
            {
                continue;
            }
            // Each character in a form of its own.
            string text =
                string.Concat(key.Select(c => random.Next(6) switch
                {
                    0 => $"\\u{(int)c:x4}",
                    1 => $"%{(int)c:X2}",
                    2 => $"&#{(int)c};",
                    _ when c is '\\' or '%' or '&' => $"\\u{(int)c:X4}",
                    _ => $"{c}",
                }));
            string hidden = new KeyRedactor(key).Hide($"<{text}>");
            string letters = string.Concat(WebUtility.HtmlDecode(Uri.UnescapeDataString(hidden)).Where(char.IsAsciiLetterOrDigit));

            Assert.True(hidden.Contains(KeyRedactor.Mark, StringComparison.Ordinal), $"key '{key}', text '{text}'");
            Assert.True(letters.Length <= 3 + 12, $"key '{key}', hidden '{hidden}'");
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
