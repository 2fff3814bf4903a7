/* SPDX-License-Identifier: MIT */
#include "harness/suite/toml.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace
{

constexpr int max_depth = 64;

// What this reader refuses although TOML allows it; thrown and caught in this file only.
struct refusal {
    toml::source_position at;
    const char *message;
};

char *copy(std::string_view text, toml::source_position at)
{
    if (text.find('\0') != std::string_view::npos)
        throw refusal{at, "a string must not hold the character U+0000"};
    char *out = static_cast<char *>(std::malloc(text.size() + 1));
    if (out == nullptr)
        throw std::bad_alloc();
    std::memcpy(out, text.data(), text.size());
    out[text.size()] = '\0';
    return out;
}

tb_toml *new_node(const char *source, toml::source_position at)
{
    auto *node = static_cast<tb_toml *>(std::calloc(1, sizeof(tb_toml)));
    if (node == nullptr)
        throw std::bad_alloc();
    node->source = source;
    node->line = at.line;
    node->column = at.column;
    return node;
}

void fill(tb_toml *node, const toml::node &value, int depth);

void fill_table(tb_toml *node, const toml::table &table, int depth)
{
    // toml++ sorts by key; messages want the order of the text
    std::vector<std::pair<const toml::key *, const toml::node *>> items;
    for (auto &&[key, value] : table)
        items.emplace_back(&key, &value);
    std::stable_sort(items.begin(), items.end(), [](const auto &a, const auto &b) {
        const auto &x = a.first->source().begin, &y = b.first->source().begin;
        return x.line != y.line ? x.line < y.line : x.column < y.column;
    });
    // a child hangs in the tree before it is filled: whatever throws, everything is freed
    tb_toml **tail = &node->children;
    for (const auto &[key, value] : items) {
        tb_toml *child = *tail = new_node(node->source, value->source().begin);
        tail = &child->next;
        child->key_line = key->source().begin.line;
        child->key_column = key->source().begin.column;
        child->key = copy(key->str(), key->source().begin);
        fill(child, *value, depth + 1);
    }
}

void fill_array(tb_toml *node, const toml::array &array, int depth)
{
    tb_toml **tail = &node->children;
    for (const auto &value : array) {
        tb_toml *child = *tail = new_node(node->source, value.source().begin);
        tail = &child->next;
        fill(child, value, depth + 1);
    }
}

void fill(tb_toml *node, const toml::node &value, int depth)
{
    const auto at = value.source().begin;
    if (depth > max_depth)
        throw refusal{at, "nested more than 64 levels deep"};
    switch (value.type()) {
    case toml::node_type::table:
        node->type = TB_TOML_TABLE;
        fill_table(node, *value.as_table(), depth);
        return;
    case toml::node_type::array:
        node->type = TB_TOML_ARRAY;
        fill_array(node, *value.as_array(), depth);
        return;
    case toml::node_type::string:
        node->type = TB_TOML_STRING;
        node->string = copy(value.as_string()->get(), at);
        return;
    case toml::node_type::integer:
        node->type = TB_TOML_I64;
        node->i64 = value.as_integer()->get();
        return;
    case toml::node_type::floating_point:
        node->type = TB_TOML_F64;
        node->f64 = value.as_floating_point()->get();
        if (!std::isfinite(node->f64))
            throw refusal{at, "a number must be finite, not nan or inf"};
        return;
    case toml::node_type::boolean:
        node->type = TB_TOML_BOOL;
        node->i64 = value.as_boolean()->get();
        return;
    default:
        throw refusal{at, "dates and times have no use here; expected a string, number, boolean, "
                          "array or table"};
    }
}

tb_status fail_at(const char *source, toml::source_position at, const char *why, int length,
                  tb_error *error)
{
    return tb_fail(error, TB_E_PARAM, "%s:%u:%u: %.*s", source, at.line, at.column, length, why);
}

} // namespace

extern "C" tb_status tb_toml_parse(const char *source, const char *text, size_t length,
                                   tb_toml **root, tb_error *error)
{
    *root = nullptr;
    tb_toml *tree = nullptr;
    tb_status status = TB_OK;
    try {
        const toml::table table = toml::parse(std::string_view(text, length));
        tree = new_node(source, table.source().begin);
        fill(tree, table, 0);
        *root = tree;
        return TB_OK;
    } catch (const toml::parse_error &e) {
        const std::string_view why = e.description();
        status = fail_at(source, e.source().begin, why.data(), static_cast<int>(why.size()), error);
    } catch (const refusal &e) {
        status = fail_at(source, e.at, e.message, 1000, error);
    } catch (const std::bad_alloc &) {
        status = tb_fail(error, TB_E_NOMEM, "%s: out of memory", source);
    } catch (...) {
        status = tb_fail(error, TB_E_PARAM, "%s: not valid TOML", source);
    }
    tb_toml_free(tree);
    return status;
}
