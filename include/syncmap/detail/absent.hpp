// Operations that only some maps have, or maps of some types. Where one is absent there is a deleted function of its name,
// whose result type says what to write. So `requires { map.pin(key); }` is false, and the call itself an error in words.
#pragma once

namespace syncmap::detail {

struct only_syncmap_map_keeps_entries_for_handles_use_load_or_visit;
struct only_syncmap_map_keeps_entries_for_handles_use_take;
struct only_syncmap_map_has_snapshots_use_for_each;
struct only_syncmap_map_walks_in_steps_and_by_several_threads_use_for_each;
struct this_map_is_not_replaced_in_one_step_use_clear_and_insert_range;
struct this_map_shrinks_by_itself_alone_there_is_no_shrink_to_fit;
struct this_map_destroys_at_once_and_has_no_flush;
struct this_map_updates_one_key_at_a_time_use_syncmap_map_for_several;
struct fetch_operations_are_for_values_that_are_numbers_use_update;
struct bits_are_those_of_integers_use_update;

} // namespace syncmap::detail
