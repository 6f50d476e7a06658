/* Made by `make api` from the server's OpenAPI document. Changes by hand are lost. */

export interface paths {
    "/api/v1/assets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the assets of the shared shelf, and those of a room */
        get: operations["list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/assets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Gives an asset's file, or the part of it that `Range` asks for */
        get: operations["read"];
        /**
         * Keeps a file as an asset
         * @description It belongs to the room of the token, or to the one that `room` names, and only that room has it; else it stands on
         *     the shared shelf for all rooms. A token for one room may not cover an asset of the shared shelf.
         *
         *     The content decides the type: images (PNG, JPEG, WebP or GIF, at most 8192 pixels wide and high,
         *     and 40 megapixels, of all pictures together where they move, which are at most 600), fonts
         *     (TrueType or OpenType; no WOFF), at most 16 MiB each, and clips (MP4, QuickTime, WebM or Matroska with H.264, H.265,
         *     VP8, VP9, AV1, MPEG-1, 2 or 4, JPEG, PNG, ProRes, QuickTime Animation or uncompressed pictures, as far as GStreamer
         *     on the server has the decoder, with at most 1920x1088 pixels, ten minutes and 64 MiB), and sounds (MP3, WAV, or Ogg
         *     with Opus or Vorbis, at most ten minutes and 16 MiB).
         */
        put: operations["put"];
        post?: never;
        /** Deletes an asset */
        delete: operations["delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Streams the notices of all rooms: rooms that start and end, people who join and leave, outputs whose state changes,
         *     recordings that are finished. For the API key and for tokens for all rooms of the roles `admin` and `producer`, who
         *     may see all of it room by room, too. A client that comes back with `Last-Event-ID` gets all that followed, as far as
         *     it is kept (1024 events). `events_missed`, whose data is no `ServerEvent`, stands in place of missed ones. The
         *     stream ends with the server, and when the token is over or taken back.
         */
        get: operations["server_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hls/{room}/{name}/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns a playlist (`index.m3u8`, `live.m3u8`) or a segment of an HLS output. Also at `/hls/{room}/{name}/{file}`. */
        get: operations["get_hls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the rooms that the bearer may see. */
        get: operations["list_rooms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the whole room: settings, layout, participants, outputs, health. */
        get: operations["get_room"];
        /** Creates a room, or changes its settings. The room stays until it is deleted. */
        put: operations["put_room"];
        post?: never;
        /** Ends a room: everybody is disconnected, outputs stop, and the assets that belong to it are deleted. */
        delete: operations["delete_room"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/bans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everybody who is barred from the room, in the order in which that was done. */
        get: operations["list_bans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/bans/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Lets somebody into the room again who was barred. */
        delete: operations["delete_ban"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the last lines. */
        get: operations["list_chat"];
        put?: never;
        /**
         * Adds a line, for instance of the chat of a streaming service. Texts with `{chat}` show it at once, and `chat_line`
         *     comes among the events. Lines are not stored.
         */
        post: operations["post_chat"];
        /** Takes all lines away. */
        delete: operations["clear_chat"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/chat/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes one line away. */
        delete: operations["delete_chat"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns all values, by key. */
        get: operations["list_data"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/data/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the value under a key. */
        get: operations["get_data"];
        /**
         * Puts a string of at most 1000 characters, or a number. Texts with `{data.KEY}` show it at once, in all layouts. It
         *     stays with the room; `data_changed` among the events says that it has changed.
         */
        put: operations["put_data"];
        post?: never;
        /** Takes away the value under a key. Texts show nothing there, or what they say for that case. */
        delete: operations["delete_data"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Streams the room's events. The first one is `room_changed` with the whole room, and so is one that stands in place
         *     of events which a slow listener missed. While the room's `keypoints` is true, `poses` says where people are, at most
         *     ten times a second. The stream ends after `room_ended`, and when the token is over or taken back. Those who do not
         *     direct the room get no `url` and no `layout` of outputs, and no `boxes_changed`.
         */
        get: operations["room_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the room as one file: settings, layout, scenes, and the assets that these need (those that are built in excepted).
         *     Never participants, and no outputs, whose addresses hold stream keys.
         */
        get: operations["export_room"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes the room what a file of `export` says, at one frame edge; it is created if it does not exist. What the file
         *     leaves out stays. Its assets are added, those of `room_assets` for this room alone; one that is there under the same
         *     name with another content is an error, as other rooms may show it.
         */
        post: operations["import_room"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/layout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the layout that the canvas shows now. */
        get: operations["get_layout"];
        /** Shows another layout from the next frame on. Canvas keys that are left out stay as they are. */
        put: operations["put_layout"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes the layout by a JSON Merge Patch (RFC 7396). */
        patch: operations["patch_layout"];
        trace?: never;
    };
    "/api/v1/rooms/{room}/layout/layers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes one layer away. */
        delete: operations["delete_layer"];
        options?: never;
        head?: never;
        /** Changes one layer by a JSON Merge Patch. Pointers of errors are those of the layer. */
        patch: operations["patch_layer"];
        trace?: never;
    };
    "/api/v1/rooms/{room}/markers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Names this moment in all recordings that run; in one that is paused, the moment of its pause. Each has at most 1000. */
        post: operations["post_marker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns all outputs of the room. */
        get: operations["list_outputs"];
        put?: never;
        /**
         * Starts sending the room somewhere. Into networks of the server's own (loopback, private addresses) only an admin
         *     may, or a producer where the server runs with `--internal-outputs`.
         */
        post: operations["post_output"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts all outputs of the room. */
        post: operations["start_outputs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops all outputs of the room, and keeps them. */
        post: operations["stop_outputs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries what an output would be sent to, for at most ten seconds. Nothing is stored, and nobody sees anything: to an
         *     RTMP server it connects and asks for the application, but does not publish, so that the stream key is not tried. An
         *     SRT receiver is called with the passphrase and gets empty packets. Nothing is encoded, but what the room could not have
         *     encoded beside its outputs is refused as it would be there.
         */
        post: operations["test_output"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one output. */
        get: operations["get_output"];
        put?: never;
        post?: never;
        /** Stops and forgets an output. What it recorded stays; its HLS segments are deleted. */
        delete: operations["delete_output"];
        options?: never;
        head?: never;
        /**
         * Changes an output by a JSON Merge Patch (RFC 7396) of what it was made with. What is encoded changes at the next
         *     keyframe, over the same connection; another address, or a recording or HLS, begins again. Another `url` needs its `key`
         *     and `token` with it: those that are stored belong to the address before.
         */
        patch: operations["patch_output"];
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pauses a recording: what is from now on is not in its file. A paused recording stays so over a restart. */
        post: operations["pause_output"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Has a paused recording go on in the same file, without a gap, with the next keyframe. */
        post: operations["resume_output"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts an output; one that failed is tried again. */
        post: operations["start_output"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/outputs/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops an output, and keeps it. */
        post: operations["stop_output"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/participants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns everyone in the room, in order of joining. */
        get: operations["list_participants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/participants/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one participant. */
        get: operations["get_participant"];
        put?: never;
        post?: never;
        /** Removes someone from the room. They may come again, unless they are barred. */
        delete: operations["delete_participant"];
        options?: never;
        head?: never;
        /** Silences, places in the mix, sets the volume of, or hides someone, or takes them into the programme or out of it. */
        patch: operations["patch_participant"];
        trace?: never;
    };
    "/api/v1/rooms/{room}/photos": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the pictures that triggers took: the newest, as many as there is room for. */
        get: operations["list_photos"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/photos/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one picture that a trigger took. */
        get: operations["get_photo"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/poses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the places of people in their pictures now: up to five people in each, each with 17 keypoints. The room's `keypoints`
         *     must be on. The room's events report the same again and again.
         */
        get: operations["get_poses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/recordings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns all recordings of the room, the newest first. The room need not exist any more. */
        get: operations["list_recordings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/recordings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns one recording, or the part of it that `Range` asks for. When it began and its markers are beside it, as
         *     `FILE.ffmetadata`, for ffmpeg.
         */
        get: operations["get_recording"];
        put?: never;
        post?: never;
        /** Deletes a recording for good. One that grows cannot be deleted: stop its output first. */
        delete: operations["delete_recording"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/scenario": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Replaces all scenes and shows the first one, at one revision: `{"scenes": [{"name", "layout"}]}`, or a scenario file
         *     of the application Virfie as it is (JSON, or the script it comes in). What such a file asks for and the server does
         *     not have is a warning in the answer; its files are taken from the assets of their names, with `-` for what asset
         *     names cannot have.
         */
        put: operations["put_scenario"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/scenes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns all scenes of a room, in order. */
        get: operations["list_scenes"];
        /** Stores these scenes, in this order, and no others. What the canvas shows stays. */
        put: operations["put_scenes"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/scenes/next": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows the scene after the one that was shown last, to everyone. At the end of the list that one stays. The first
         *     one, when none was shown.
         */
        post: operations["next_scene"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/scenes/previous": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows the scene before the one that was shown last, to everyone. At the beginning of the list that one stays. The
         *     last one, when none was shown.
         */
        post: operations["previous_scene"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/scenes/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one scene. */
        get: operations["get_scene"];
        /**
         * Stores a scene: this layout, or without a body what the canvas shows now. A new one comes behind all others. Keys
         *     of the canvas that the layout leaves out are the room's when the scene is shown.
         */
        put: operations["put_scene"];
        post?: never;
        /** Forgets a scene. The canvas goes on showing it if it does. */
        delete: operations["delete_scene"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/scenes/{name}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Shows a scene to everyone, from the next frame on. */
        post: operations["activate_scene"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Opens a WebSocket of JSON text messages: signalling and news of one participant. The page sends `ClientMessage`s, the server
         *     `ServerMessage`s.
         */
        get: operations["session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/snapshot.jpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the canvas as it is now, small. */
        get: operations["snapshot_jpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/snapshot.png": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the canvas as it is now, without loss. */
        get: operations["snapshot_png"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/timers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns all timers, by id. */
        get: operations["list_timers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/timers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one timer. */
        get: operations["get_timer"];
        put?: never;
        post?: never;
        /** Forgets a timer. */
        delete: operations["delete_timer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/timers/{id}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Puts a timer back to its beginning, where it stands, and makes it where it is missing. `seconds` gives it another
         *     length.
         */
        post: operations["reset_timer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/timers/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a timer, and makes it where it is missing. With `seconds` it counts down from there. Without, it goes on from
         *     where it is; one that has ended begins again, and a new one counts up. At the end of a countdown, `timer_ended` comes
         *     among the events, and `scene` is shown if one is given. A timer goes on while the server is started again.
         */
        post: operations["start_timer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rooms/{room}/timers/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops a timer where it is. */
        post: operations["stop_timer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs a token */
        post: operations["create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes a token back: it is invalid from now on, and those who came with it are put out. */
        delete: operations["revoke"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/whep/{room}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Watches a room that exists. */
        post: operations["post_whep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/whep/{room}/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends a session. The session's secret is all that it takes. */
        delete: operations["delete_whep"];
        options?: never;
        head?: never;
        /** Trickles candidates. An ICE restart is refused: make a new session. The session's secret is all that it takes. */
        patch: operations["patch_whep"];
        trace?: never;
    };
    "/api/v1/whip/{room}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Joins a room as a sender. A new POST of the same token with the same name takes the old session over. */
        post: operations["post_whip"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/whip/{room}/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends a session: the participant leaves. The session's secret is all that it takes. */
        delete: operations["delete_whip"];
        options?: never;
        head?: never;
        /** Trickles candidates. An ICE restart is refused: make a new session. The session's secret is all that it takes. */
        patch: operations["patch_whip"];
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says that the server lives */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Gives the server's numbers for Prometheus
         * @description Needs the role `admin`, which everybody has on an open server.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says whether the server takes requests */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Shows a stored scene to everybody. */
        ActivateScene: {
            /** @description Its name, `next` or `previous`. One that is not there changes nothing. */
            scene: string;
        };
        /** @description The scene that was shown last. */
        ActiveScene: {
            /** @description Whether the layout or the scene has been changed since: showing the scene again would change the picture. */
            changed: boolean;
            /** @description Its name. */
            name: string;
        };
        /**
         * @description The point of a layer's rectangle that `x` and `y` place.
         * @enum {string}
         */
        Anchor: "top-left" | "top" | "top-right" | "left" | "center" | "right" | "bottom-left" | "bottom" | "bottom-right";
        /** @description The facts that are known of an asset. */
        Asset: {
            /** @description Whether it comes with the program. */
            builtin: boolean;
            /**
             * Format: int64
             * @description Size of the file.
             */
            bytes: number;
            /**
             * @description The server reads it from the content.
             * @example image/jpeg
             */
            content_type: string;
            /**
             * Format: int64
             * @description Of a clip or a sound: how long it is, in milliseconds; null where that is not known, and for others.
             */
            duration_ms?: number | null;
            /** @description Of a font: the name of its family, which texts can use as well as the asset's; null for others. */
            family?: string | null;
            /**
             * Format: int32
             * @description In pixels; null for what cannot be seen.
             */
            height?: number | null;
            /** @description Its use in layouts. The server reads it from the content. */
            kind: components["schemas"]["AssetKind"];
            /**
             * @description As layouts write it.
             * @example club.jpg
             */
            name: string;
            /** @description The room that it belongs to; null for those of the shared shelf, which every room has. */
            room?: string | null;
            /**
             * Format: int32
             * @description In pixels; null for what cannot be seen.
             */
            width?: number | null;
        };
        /**
         * @description The use of an asset.
         * @enum {string}
         */
        AssetKind: "image" | "font" | "sound" | "clip";
        /** @description Assets. */
        AssetList: {
            /** @description By name. */
            assets: components["schemas"]["Asset"][];
        };
        /**
         * @description The codec of the sound.
         * @enum {string}
         */
        AudioCodec: "aac" | "opus";
        AutoGap: number | string;
        /**
         * @description The way that the people whom no layer takes are placed.
         * @enum {string}
         */
        AutoMode: "grid" | "row" | "spotlight" | "off";
        /** @description The treatment of the people whom no layer takes. They are drawn at z 0, nearer than all layers of z 0. */
        AutoPlacement: {
            /**
             * @description `person` or body parts: people are cut out and stand side by side. Left out: `person` where the background is
             *     an image, else `none`. Without a segmentation model it is always `none`.
             */
            cutout?: components["schemas"]["Cutout"];
            /**
             * Format: double
             * @description As in a layer.
             */
            feather?: number;
            /** @description Between two tiles of the grid: canvas pixels, or `"n%"` of the canvas's width; `"1%"` when left out. */
            gap?: components["schemas"]["AutoGap"];
            /** @description `grid` when left out. */
            mode?: components["schemas"]["AutoMode"];
            /** @description As in a layer. */
            model?: string;
            /**
             * Format: double
             * @description As in a layer.
             */
            smoothing?: number;
            /**
             * Format: double
             * @description As in a layer.
             */
            threshold?: number;
        };
        Backdrop: string;
        /** @description Somebody who is barred from the room. */
        Ban: {
            /**
             * Format: date-time
             * @description When they were barred.
             */
            banned_at: string;
            /** @description What they are known again by. */
            by: components["schemas"]["BannedBy"];
            /** @description Its id. */
            id: string;
            /** @description The name that they asked for. */
            name: string;
        };
        /**
         * @description The mark by which somebody who is barred is known again.
         * @enum {string}
         */
        BannedBy: "token" | "name";
        /**
         * @description The one who can help when an output does not work.
         * @enum {string}
         */
        Blame: "destination" | "operator" | "server";
        /**
         * @description A part of a body. Left and right are the person's own. `front` and `back` say which side of the part is seen: for a
         *     whole arm, name both.
         * @enum {string}
         */
        BodyPart: "left_face" | "right_face" | "left_upper_arm_front" | "left_upper_arm_back" | "right_upper_arm_front" | "right_upper_arm_back" | "left_lower_arm_front" | "left_lower_arm_back" | "right_lower_arm_front" | "right_lower_arm_back" | "left_hand" | "right_hand" | "torso_front" | "torso_back" | "left_upper_leg_front" | "left_upper_leg_back" | "right_upper_leg_front" | "right_upper_leg_back" | "left_lower_leg_front" | "left_lower_leg_back" | "right_lower_leg_front" | "right_lower_leg_back" | "left_foot" | "right_foot";
        /** @description The picture that layers are put on. */
        Canvas: {
            /** @description A colour (`#rgb`, `#rrggbb`) or the name of an image asset, which covers the canvas. */
            background?: components["schemas"]["Backdrop"];
            /**
             * Format: int32
             * @description Frames per second.
             */
            fps?: number;
            /**
             * Format: int32
             * @description In pixels; even.
             */
            height?: number;
            /**
             * Format: int32
             * @description In pixels; even.
             */
            width?: number;
        };
        /** @description A line of the chat. */
        ChatLine: {
            /**
             * Format: date-time
             * @description Time at which it came.
             */
            at: string;
            /**
             * Format: int64
             * @description Grows from line to line.
             */
            id: number;
            /** @description The name of its writer. */
            name: string;
            /** @description The line as it was written. */
            text: string;
        };
        /** @description A message of the page to the session's WebSocket. */
        ClientMessage: {
            /** @description The name to be seen by; a token's name comes before it. */
            name: string;
            /**
             * @description Video codecs that the browser can receive, best first: `h264`, `vp8`. The offer of `receive` decides which
             *     one is sent.
             */
            receive?: string[];
            /** @description The secret of an earlier `welcome`: its place is taken over if it is still there. */
            resume?: string | null;
            /** @description Video codecs that the browser can send, best first: `vp8`, `h264`, `vp9`. */
            send?: string[];
            /** @enum {string} */
            type: "join";
        } | {
            /** @description SDP. */
            sdp: string;
            /** @enum {string} */
            type: "answer";
        } | {
            /** @description SDP. */
            sdp: string;
            /** @enum {string} */
            type: "receive";
        } | {
            /**
             * Format: float
             * @description Share of frames that there was no time to decode, 0 to 1.
             */
            dropped?: number;
            /**
             * Format: int32
             * @description Height of the player in pixels of the screen.
             */
            height?: number | null;
            /** @description Nobody looks at the page. */
            hidden?: boolean;
            /** @description `auto`, or a rendition by its height: `360p`. */
            rendition?: string;
            /** @description The user wants to save data. */
            save_data?: boolean;
            /** @enum {string} */
            type: "view";
        } | {
            /** @description `candidate:…` */
            candidate?: string | null;
            /** @description The connection that it belongs to. */
            connection?: components["schemas"]["SessionConnection"];
            /**
             * Format: int32
             * @description Index of the m-line. All share one transport, so it is not looked at.
             */
            mline?: number | null;
            /** @enum {string} */
            type: "candidate";
        } | {
            /** @description Microphone. */
            audio: boolean;
            /** @enum {string} */
            type: "media";
            /** @description Camera. */
            video: boolean;
        } | {
            /** @description Whether they are `ready`, or only `backstage`. */
            ready: boolean;
            /** @enum {string} */
            type: "ready";
        } | {
            /** @enum {string} */
            type: "leave";
        };
        /**
         * @description The container of a recording.
         * @enum {string}
         */
        Container: "mkv" | "mp4";
        /** @description Part of a participant's picture that is kept. */
        Cutout: ("none" | "person") | components["schemas"]["BodyPart"][];
        /**
         * @description The functions that suffer when the machine has too little time, in the order in which it is given up.
         * @enum {string}
         */
        Degraded: "mask_detail" | "mask_rate" | "frame_rate" | "decoding" | "encoding" | "output";
        /** @description The way that the mix reaches somebody who receives. */
        Delivery: {
            /** @description Codec of the picture, null where only sound is taken. */
            codec?: string | null;
            /**
             * Format: int64
             * @description The connection's number, as in the `ETag` of a WHEP session.
             */
            connection: number;
            /**
             * Format: int64
             * @description Estimated capacity of the line, in kbit/s; null until known.
             */
            estimate_kbps?: number | null;
            /**
             * Format: double
             * @description Share of packets lost on the way, 0 to 1.
             */
            loss: number;
            /**
             * @description Reason for this rendition: `start`, `slow network`, `loss`, `small player`, `hidden`, `save data`, `slow
             *     decoder`, `fixed` or `recovered`.
             */
            reason: string;
            /** @description The rendition that is sent, by its height (`360p`); null: sound alone. */
            rendition?: string | null;
            /**
             * Format: double
             * @description To the receiver and back, in milliseconds; null until measured.
             */
            round_trip_ms?: number | null;
        };
        /**
         * @description The course of a change.
         * @enum {string}
         */
        Easing: "linear" | "ease" | "ease-in" | "ease-out" | "ease-in-out";
        /**
         * @description The reason why a room is over.
         * @enum {string}
         */
        EndReason: "ended" | "shutdown";
        /** @description News from a room, the same for the event stream and for session sockets. */
        Event: {
            /** @description The newcomer. */
            participant: components["schemas"]["Participant"];
            /** @enum {string} */
            type: "participant_joined";
        } | {
            /** @description Their id. */
            id: string;
            /** @description Their name. */
            name: string;
            /** @description Reason for leaving. */
            reason: components["schemas"]["LeaveReason"];
            /** @enum {string} */
            type: "participant_left";
        } | {
            /** @description The participant, as they are now. */
            participant: components["schemas"]["Participant"];
            /** @enum {string} */
            type: "participant_changed";
        } | {
            /** @description Their id. */
            id: string;
            /** @description Now. */
            speaking: boolean;
            /** @enum {string} */
            type: "speaking";
        } | {
            /** @description See there. */
            loudness: components["schemas"]["Loudness"];
            /** @enum {string} */
            type: "loudness";
        } | {
            /** @description Everybody in whose pictures keypoints are found, in order of joining. */
            participants: components["schemas"]["ParticipantPoses"][];
            /** @enum {string} */
            type: "poses";
        } | {
            active_scene?: components["schemas"]["ActiveScene"] | null;
            /** @description Places of all its layers now, back to front. */
            boxes: components["schemas"]["LayerBox"][];
            /** @description The whole layout. */
            layout: components["schemas"]["Layout"];
            /**
             * Format: int64
             * @description The room's revision now.
             */
            revision: number;
            /** @enum {string} */
            type: "layout_changed";
        } | {
            /** @description All of them, back to front. */
            boxes: components["schemas"]["LayerBox"][];
            /**
             * Format: int64
             * @description The room's revision now.
             */
            revision: number;
            /** @enum {string} */
            type: "boxes_changed";
        } | {
            active_scene?: components["schemas"]["ActiveScene"] | null;
            /**
             * Format: int64
             * @description The room's revision now.
             */
            revision: number;
            /** @description All names, in order. */
            scenes: string[];
            /** @enum {string} */
            type: "scenes_changed";
        } | {
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description The room's revision now.
             */
            revision: number;
            /** @enum {string} */
            type: "scene_activated";
        } | {
            /** @description The texts of its `event` actions. */
            events: string[];
            /** @description The ids of the participants whose keypoints made it fire. */
            participants: string[];
            /** @description Its id. */
            trigger: string;
            /** @enum {string} */
            type: "trigger_fired";
        } | {
            /** @description The picture. */
            photo: components["schemas"]["Photo"];
            /** @enum {string} */
            type: "photo_taken";
        } | {
            /**
             * Format: int64
             * @description The room's revision now.
             */
            revision: number;
            /** @description The room. */
            room: components["schemas"]["RoomState"];
            /** @enum {string} */
            type: "room_changed";
        } | {
            /** @description The output. */
            output: components["schemas"]["Output"];
            /** @enum {string} */
            type: "output_changed";
        } | {
            /** @description Name of the output. */
            id: string;
            /** @enum {string} */
            type: "output_removed";
        } | {
            /** @description Its key. */
            key: string;
            /** @enum {string} */
            type: "data_changed";
            value?: components["schemas"]["RoomDatum"] | null;
        } | {
            /** @description The line. */
            line: components["schemas"]["ChatLine"];
            /** @enum {string} */
            type: "chat_line";
        } | {
            /**
             * Format: int64
             * @description Number of the line; null: all lines.
             */
            id?: number | null;
            /** @enum {string} */
            type: "chat_removed";
        } | {
            /** @description As it is now. */
            timer: components["schemas"]["Timer"];
            /** @enum {string} */
            type: "timer_changed";
        } | {
            /** @description As it is now. */
            timer: components["schemas"]["Timer"];
            /** @enum {string} */
            type: "timer_ended";
        } | {
            /** @description Name of the output. */
            id: string;
            /** @enum {string} */
            type: "timer_removed";
        } | (components["schemas"]["Marker"] & {
            /** @enum {string} */
            type: "marker";
        }) | {
            /** @description The file. */
            recording: components["schemas"]["FinishedRecording"];
            /** @enum {string} */
            type: "recording_finished";
        } | {
            /** @enum {string} */
            type: "room_ended";
        };
        /** @description A file that an output has finished. */
        FinishedRecording: {
            /**
             * Format: int64
             * @description Its size.
             */
            bytes: number;
            /**
             * @description The file's name in `/rooms/{room}/recordings`. Null for those who do not direct the room.
             * @example studio-20261128T120000Z.mkv
             */
            name?: string | null;
            /** @description The output that wrote it. */
            output: string;
            /**
             * Format: double
             * @description Playing time.
             */
            seconds: number;
        };
        /**
         * @description The way that a source is fitted into its rectangle.
         * @enum {string}
         */
        Fit: "fill" | "contain" | "cover";
        /** @description The health of the room's media. Counters grow from the room's start. */
        Health: {
            /**
             * Format: double
             * @description Mean time of composing one frame, in milliseconds.
             */
            compose_ms: number;
            /** @description Parts of the service that suffer now because the machine has too little time; empty while all is well. */
            degraded: components["schemas"]["Degraded"][];
            /**
             * Format: int64
             * @description Composed frames that an encoder had no time for.
             */
            dropped_frames: number;
            /** @description Encodings that run now. */
            encoders: string[];
            /**
             * Format: double
             * @description Composed frames a second.
             */
            fps: number;
            /**
             * Format: int64
             * @description Frames composed.
             */
            frames: number;
            /**
             * Format: int64
             * @description Frames composed later than half a frame after their tick.
             */
            late_frames: number;
            /**
             * Format: double
             * @description The same since the room's start.
             */
            longest_sound_gap_ms: number;
            /**
             * Format: int64
             * @description Ticks without a frame, in the program or a picture beside it.
             */
            missed_frames: number;
            /**
             * Format: int32
             * @description Number of times that the room was begun again after a fault. Its connections are lost each time, and its
             *     counters begin at zero.
             */
            rebuilds: number;
            /** @description Reason for the last time. */
            rebuilt_because?: string | null;
            /** @description Whether the output clock runs; it rests while nobody receives. */
            running: boolean;
            /**
             * Format: double
             * @description Encoded frames a second, of all rooms, that are left out up to the next keyframe because decoding does not keep
             *     up.
             */
            skipped_per_second: number;
            /**
             * Format: double
             * @description The longest time between two blocks of sound over the last second, in milliseconds. 20 when all is well; from 40
             *     on it may be heard.
             */
            sound_gap_ms: number;
        };
        /**
         * @description The segments that a playlist lists.
         * @enum {string}
         */
        HlsWindow: "sliding" | "event";
        /** @description A STUN or TURN server, as `RTCPeerConnection` takes it. */
        IceServer: {
            /** @description TURN only. */
            credential: string | null;
            /** @description Its URLs. */
            urls: string[];
            /** @description TURN only. */
            username: string | null;
        };
        /** @description Pictures for the people who are shown, one each, in an order that changes now and then. */
        Icons: {
            /** @description Nothing is drawn outside; the whole canvas when left out. */
            area?: components["schemas"]["TriggerArea"];
            /**
             * Format: double
             * @description Canvas pixels to the right of it; 0 when left out.
             */
            dx?: number;
            /**
             * Format: double
             * @description Canvas pixels below it; 0 when left out.
             */
            dy?: number;
            /** @description Image assets. Who comes after the last of them gets no image. */
            image: string[];
            /** @description The point of a person that the picture's middle is on; `nose` when left out. */
            keypoint?: components["schemas"]["KeypointName"];
            /**
             * Format: int32
             * @description Milliseconds from one order to the next.
             */
            shuffle_ms: number;
            /**
             * Format: double
             * @description Canvas pixels; the height follows.
             */
            width: number;
        };
        /** @description Gives everybody a picture that goes along with them. */
        IconsAction: {
            /** @description The icons. */
            icons: components["schemas"]["Icons"];
        };
        /** @description A timer as it is kept with its room. */
        KeptTimer: {
            /**
             * Format: int64
             * @description Milliseconds that it had run when it was started or stopped last.
             */
            elapsed_ms?: number;
            /** @description The scene that is shown at its end. */
            scene?: string | null;
            /**
             * Format: int64
             * @description Seconds from which it counts down; left out by one that only counts up.
             */
            seconds?: number | null;
            /**
             * Format: date-time
             * @description Since when it runs; left out by one that stands.
             */
            since?: string | null;
        };
        /** @description One point of a body. */
        Keypoint: {
            /**
             * @description Name, for instance `rightWrist`. Left and right are the person's own.
             * @example rightWrist
             */
            name: string;
            /**
             * Format: double
             * @description Certainty that the point can be seen, 0 to 1.
             */
            score: number;
            /**
             * Format: double
             * @description 0 to 1 of the width of the participant's own picture, from the left; -0.5 to 1.5 where a limb leaves it.
             */
            x: number;
            /**
             * Format: double
             * @description 0 to 1 of its height, from the top; outside as `x`.
             */
            y: number;
        };
        /**
         * @description A point of a person's body, in the order of the network's heads. Left and right are the person's own.
         * @enum {string}
         */
        KeypointName: "nose" | "leftEye" | "rightEye" | "leftEar" | "rightEar" | "leftShoulder" | "rightShoulder" | "leftElbow" | "rightElbow" | "leftWrist" | "rightWrist" | "leftHip" | "rightHip" | "leftKnee" | "rightKnee" | "leftAnkle" | "rightAnkle";
        /**
         * @description The place where guests land: newcomers with the role `participant`. Who directs the room is on air at once.
         * @enum {string}
         */
        Landing: "on_air" | "backstage";
        /** @description One rectangle of the picture. Without any size it is as large as the canvas; a text is as large as it comes. */
        Layer: {
            /** @description The point of the rectangle that `x` and `y` place; `top-left` when left out. */
            anchor?: components["schemas"]["Anchor"];
            /** @description The background of a participant who is cut out: their own picture, blurred. */
            background?: components["schemas"]["LayerBackground"];
            /** @description A line along the inside of the edge. */
            border?: components["schemas"]["LayerBorder"];
            /** @description The margins that are cut off the source before it is fitted. */
            crop?: components["schemas"]["LayerCrop"];
            /**
             * @description Part of a participant's picture that is kept; `none` (the whole picture) when left out. Without a
             *     segmentation model the whole picture is shown.
             */
            cutout?: components["schemas"]["Cutout"];
            /** @description An image asset that is shown while the participant is not there. */
            fallback?: string;
            /**
             * Format: double
             * @description Softness of the edge, from 0 (hard) to 1; 0.33 when left out.
             */
            feather?: number;
            /** @description Manner in which the source is fitted into the rectangle; when left out `cover`, or `contain` for a text. */
            fit?: components["schemas"]["Fit"];
            /**
             * @description Goes along with a person's body, instead of `x`, `y` and `anchor`. Without `scale` and without a size of its own
             *     the layer has its source's size.
             */
            follow?: components["schemas"]["LayerFollow"];
            /** @description Canvas pixels, or `"n%"` of the canvas's height. Left out beside a `width`: keeps the source's shape. */
            height?: components["schemas"]["LayerExtent"];
            /** @description Unique in the layout. */
            id: string;
            /**
             * @description The view of a participant who is cut out, while nobody has been found in their pictures for two seconds;
             *     `hide` when left out.
             */
            lost?: components["schemas"]["LayerLost"];
            /** @description Left and right exchanged; `false` when left out. */
            mirror?: boolean;
            /**
             * @description The segmentation model that finds what is kept, for participants only: `embedded`, or the name (without `.onnx`)
             *     of a file in the server's folder of models. The server's own when left out, and until another is loaded.
             */
            model?: string;
            /**
             * Format: double
             * @description From 0 (unseen) to 1 (opaque, the default).
             */
            opacity?: number;
            /** @description Of the corners; 0 when left out. */
            radius?: components["schemas"]["LayerRadius"];
            /**
             * Format: double
             * @description Degrees, clockwise, about the middle; 0 when left out.
             */
            rotate?: number;
            /** @description Only without `width` and `height`: the canvas's size times this. */
            scale?: components["schemas"]["LayerScale"];
            /**
             * Format: double
             * @description Share of the last mask that stays where nothing moves: more is calmer; 0.9 when left out.
             */
            smoothing?: number;
            /** @description The source of its picture. A participant who is not there is legal and shows nothing. */
            source: components["schemas"]["LayerSource"];
            /**
             * Format: double
             * @description Certainty that the network must have of a pixel to keep it: lower keeps more hair, and more of the room; 0.5
             *     when left out. This and the next two are for participants only, and without effect where nothing is cut out.
             */
            threshold?: number;
            /** @description Change of this layer; as the layout says when left out. */
            transition?: components["schemas"]["LayoutTransition"];
            /** @description Canvas pixels, or `"n%"` of the canvas's width. Left out beside a `height`: keeps the source's shape. */
            width?: components["schemas"]["LayerExtent"];
            /**
             * @description Place of the anchor: canvas pixels from the left edge, or `"n%"` of the canvas's width. Left out: where the
             *     anchor is on the canvas itself, so `{"anchor": "bottom-right"}` alone means that corner.
             */
            x?: components["schemas"]["LayerPosition"];
            /** @description Place of the anchor: canvas pixels from the top edge, or `"n%"` of the canvas's height. */
            y?: components["schemas"]["LayerPosition"];
            /**
             * Format: int32
             * @description Higher is nearer; equal ones are nearer the later they are listed. The people placed by `auto` are at 0, nearer
             *     than all layers of z 0. 0 when left out.
             */
            z?: number;
        };
        /** @description The background of a participant who is cut out. */
        LayerBackground: {
            /**
             * Format: double
             * @description Radius by which the participant's own picture is blurred, in canvas pixels.
             */
            blur: number;
        };
        /** @description A line along the inside of a layer's edge. */
        LayerBorder: {
            /** @description White when left out. */
            color?: components["schemas"]["LayerColor"];
            /**
             * Format: double
             * @description Canvas pixels; 2 when left out.
             */
            width?: number;
        };
        /** @description The rectangle of a layer, or of somebody whom `auto` places. */
        LayerBox: {
            /**
             * Format: double
             * @description In canvas pixels.
             */
            height: number;
            hidden?: components["schemas"]["WhyHidden"] | null;
            /** @description The layer's id; null for somebody whom `auto` places. */
            layer?: string | null;
            /** @description The name of the participant who stands there, seen or not; null for nobody. */
            person?: string | null;
            /**
             * Format: double
             * @description Degrees by which the box is turned about its middle, clockwise.
             */
            rotate: number;
            /**
             * Format: double
             * @description In canvas pixels. A source that is fitted in with `contain` may leave some of it free.
             */
            width: number;
            /**
             * Format: double
             * @description The left edge in canvas pixels, before the box is turned. Of a layer that follows a keypoint: as if that were in
             *     the middle of the layer that it follows.
             */
            x: number;
            /**
             * Format: double
             * @description The top edge, as `x`.
             */
            y: number;
        };
        /** @description A colour, `#rgb` or `#rrggbb`. */
        LayerColor: string;
        /** @description The parts that are cut off the source at its edges: source pixels, or `"n%"` of the source's width or height. */
        LayerCrop: {
            /** @description At the bottom. */
            bottom?: components["schemas"]["LayerInset"];
            /** @description At the left, before any mirroring. */
            left?: components["schemas"]["LayerInset"];
            /** @description At the right, before any mirroring. */
            right?: components["schemas"]["LayerInset"];
            /** @description At the top. */
            top?: components["schemas"]["LayerInset"];
        };
        LayerExtent: number | string;
        /** @description The thing that a layer goes along with. */
        LayerFollow: {
            /** @description The point of this layer that is on the keypoint; `center` when left out. */
            anchor?: components["schemas"]["Anchor"];
            /**
             * Format: double
             * @description Canvas pixels to the right of the keypoint.
             */
            dx?: number;
            /**
             * Format: double
             * @description Canvas pixels below the keypoint.
             */
            dy?: number;
            /** @description Point of that person; left and right are the person's own. */
            keypoint: components["schemas"]["KeypointName"];
            /** @description The id of a layer that shows a participant. */
            layer: string;
            /** @description This layer's size: its source's own, times this, times the share of the canvas that the followed layer takes. */
            scale?: components["schemas"]["LayerScale"];
        };
        LayerInset: number | string;
        /**
         * @description The picture that stands in for somebody who is to be cut out and is not found.
         * @enum {string}
         */
        LayerLost: "hide" | "whole" | "blur";
        LayerPosition: number | string;
        LayerRadius: number | string;
        LayerScale: number | string;
        LayerSource: {
            /** @description Image assets, shown by turns, again and again. */
            image: string[];
            /** @description Time for which each image is shown, in milliseconds; 2000 when left out. */
            interval_ms?: number;
        } | {
            /** @description A participant's name. */
            participant: string;
        } | {
            /** @description The n-th participant, counted from 1 by time of joining, whom no layer names. */
            slot: number;
        } | {
            /** @description An image asset's name. An animated one moves. */
            image: string;
        } | {
            /** @description A plain rectangle of this colour. */
            color: string;
        } | {
            /** @description Side at which the lines stand; the one where lines of their script begin when left out. */
            align?: components["schemas"]["TextAlign"];
            /** @description The colour behind it; nothing when left out. */
            background?: components["schemas"]["LayerColor"];
            /** @description White when left out. */
            color?: components["schemas"]["LayerColor"];
            /**
             * @description It runs through its layer from right to left, again and again, so fast: canvas pixels a second, or `"n%"` of the
             *     canvas's height a second. The layer is as wide as the canvas where it has no `width`, lines are not broken, and
             *     `background` covers the layer. It stands when left out.
             */
            crawl?: components["schemas"]["TextCrawl"];
            /**
             * @description A font asset's name (`Caveat.ttf`), or the name of a family: `Inter` (the default), `DejaVu Sans`, one of an
             *     asset, or one that is installed on the server. Characters that it has not are taken from other fonts.
             */
            font?: string;
            /**
             * Format: double
             * @description Distance of lines, in sizes; 1.2 when left out.
             */
            line_height?: number;
            /**
             * Format: double
             * @description Around it, in canvas pixels; 0 when left out.
             */
            padding?: number;
            /**
             * Format: double
             * @description Size of the letters (an em) in canvas pixels; 48 when left out.
             */
            size?: number;
            /**
             * @description Lines end with `\n`; no other control characters. Fields stand for what changes: `{name}` or `{name LAYER}` (of
             *     who is in a layer), `{clock HH:mm}`, `{countdown TIMER}`, `{countdown 20:15}`, `{stopwatch TIMER}`, `{viewers}`,
             *     `{chat 5}`, `{data.KEY}` or `{data.KEY|what is shown before it is put}`. `{{name}}` shows `{name}`; other braces
             *     are braces.
             */
            text: string;
            /**
             * Format: int32
             * @description 400 (regular) when left out; 700 is bold.
             */
            weight?: number;
        } | {
            /** @description A clip asset's name. It is shown again and again, without its sound; at most 4 clips of one layout. */
            video: string;
        };
        /**
         * @description The content of the canvas. Every key may be left out; unknown keys are errors.
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "canvas": {
         *         "background": "#111111",
         *         "fps": 30,
         *         "height": 720,
         *         "width": 1280
         *       },
         *       "layers": [
         *         {
         *           "id": "club",
         *           "source": {
         *             "image": "club.jpg"
         *           }
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "ann",
         *           "source": {
         *             "participant": "ann"
         *           },
         *           "width": "60%",
         *           "x": "-10%",
         *           "y": "20%",
         *           "z": 10
         *         },
         *         {
         *           "height": 360,
         *           "id": "guest",
         *           "opacity": 0.9,
         *           "source": {
         *             "slot": 1
         *           },
         *           "width": 480,
         *           "x": 640,
         *           "y": 180,
         *           "z": 11
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "id": "host",
         *           "source": {
         *             "slot": 1
         *           }
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "cutout": "none",
         *         "gap": "1%",
         *         "mode": "grid"
         *       }
         *     }
         * @example {
         *       "auto": {
         *         "cutout": "person",
         *         "mode": "grid"
         *       }
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "id": "host",
         *           "source": {
         *             "slot": 1
         *           },
         *           "z": 0
         *         },
         *         {
         *           "anchor": "bottom-right",
         *           "height": "25%",
         *           "id": "guest",
         *           "source": {
         *             "slot": 2
         *           },
         *           "width": "25%",
         *           "x": "98%",
         *           "y": "98%",
         *           "z": 1
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "cutout": "none",
         *         "gap": "1%",
         *         "mode": "spotlight"
         *       },
         *       "transition": {
         *         "duration_ms": 300,
         *         "easing": "ease-in-out"
         *       }
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "border": {
         *             "color": "#ffffff",
         *             "width": 4
         *           },
         *           "height": "40%",
         *           "id": "guest",
         *           "radius": "4%",
         *           "source": {
         *             "slot": 2
         *           },
         *           "width": "40%",
         *           "x": "55%",
         *           "y": "10%",
         *           "z": 1
         *         },
         *         {
         *           "cutout": "person",
         *           "height": "92%",
         *           "id": "anchor",
         *           "source": {
         *             "slot": 1
         *           },
         *           "width": "92%",
         *           "x": "-12%",
         *           "y": "8%",
         *           "z": 2
         *         },
         *         {
         *           "height": "11%",
         *           "id": "band",
         *           "opacity": 0.92,
         *           "source": {
         *             "color": "#a01218"
         *           },
         *           "width": "100%",
         *           "x": 0,
         *           "y": "82%",
         *           "z": 3
         *         },
         *         {
         *           "anchor": "left",
         *           "id": "headline",
         *           "source": {
         *             "color": "#ffffff",
         *             "size": 44,
         *             "text": "The headline",
         *             "weight": 700
         *           },
         *           "x": "5%",
         *           "y": "87.5%",
         *           "z": 4
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "height": "75%",
         *           "id": "teacher",
         *           "source": {
         *             "slot": 1
         *           },
         *           "width": "75%",
         *           "x": "1%",
         *           "y": "12.5%",
         *           "z": 0
         *         },
         *         {
         *           "height": "22%",
         *           "id": "pupil-1",
         *           "source": {
         *             "slot": 2
         *           },
         *           "width": "22%",
         *           "x": "77%",
         *           "y": "1%",
         *           "z": 1
         *         },
         *         {
         *           "height": "22%",
         *           "id": "pupil-2",
         *           "source": {
         *             "slot": 3
         *           },
         *           "width": "22%",
         *           "x": "77%",
         *           "y": "26%",
         *           "z": 1
         *         },
         *         {
         *           "height": "22%",
         *           "id": "pupil-3",
         *           "source": {
         *             "slot": 4
         *           },
         *           "width": "22%",
         *           "x": "77%",
         *           "y": "51%",
         *           "z": 1
         *         },
         *         {
         *           "height": "22%",
         *           "id": "pupil-4",
         *           "source": {
         *             "slot": 5
         *           },
         *           "width": "22%",
         *           "x": "77%",
         *           "y": "76%",
         *           "z": 1
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "cutout": "person",
         *           "id": "player-1",
         *           "mirror": true,
         *           "scale": "85%",
         *           "source": {
         *             "slot": 1
         *           },
         *           "x": "-10%",
         *           "y": "20%",
         *           "z": 100
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "player-2",
         *           "mirror": true,
         *           "scale": "90%",
         *           "source": {
         *             "slot": 2
         *           },
         *           "x": "10%",
         *           "y": "37%",
         *           "z": 101
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "player-3",
         *           "mirror": true,
         *           "scale": "85%",
         *           "source": {
         *             "slot": 3
         *           },
         *           "x": "30%",
         *           "y": "30%",
         *           "z": 102
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "cutout": "person",
         *           "id": "player-1",
         *           "mirror": true,
         *           "scale": "80%",
         *           "source": {
         *             "slot": 1
         *           },
         *           "x": "-10%",
         *           "y": "30%",
         *           "z": 102
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "player-2",
         *           "mirror": true,
         *           "scale": "85%",
         *           "source": {
         *             "slot": 2
         *           },
         *           "x": "0%",
         *           "y": "20%",
         *           "z": 100
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "player-3",
         *           "mirror": true,
         *           "scale": "80%",
         *           "source": {
         *             "slot": 3
         *           },
         *           "x": "10%",
         *           "y": "30%",
         *           "z": 101
         *         }
         *       ]
         *     }
         * @example {
         *       "auto": {
         *         "mode": "off"
         *       },
         *       "layers": [
         *         {
         *           "cutout": "person",
         *           "id": "player-1",
         *           "mirror": true,
         *           "scale": "75%",
         *           "source": {
         *             "slot": 1
         *           },
         *           "x": "0%",
         *           "y": "20%",
         *           "z": 102
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "player-2",
         *           "mirror": true,
         *           "scale": "80%",
         *           "source": {
         *             "slot": 2
         *           },
         *           "x": "30%",
         *           "y": "10%",
         *           "z": 101
         *         },
         *         {
         *           "cutout": "person",
         *           "id": "player-3",
         *           "mirror": true,
         *           "scale": "100%",
         *           "source": {
         *             "slot": 3
         *           },
         *           "x": "-15%",
         *           "y": "30%",
         *           "z": 100
         *         }
         *       ]
         *     }
         */
        Layout: {
            /** @description The placing of the people whom no layer takes; left out, they stand in a grid. */
            auto?: components["schemas"]["AutoPlacement"];
            /** @description The picture that layers are put on. Keys left out keep the room's values. */
            canvas?: components["schemas"]["Canvas"];
            /** @description At most 64, each with its own id. */
            layers?: components["schemas"]["Layer"][];
            /** @description A sound asset that is played again and again, softly; none when left out. */
            music?: string;
            /** @description Change from what was shown before into this; at once when left out. */
            transition?: components["schemas"]["LayoutTransition"];
            /** @description Triggers, which act by themselves. */
            triggers?: components["schemas"]["LayoutTrigger"][];
            /** @description In answers to changes: what can be shown, but not as it was meant. In requests it is passed over. */
            warnings?: components["schemas"]["Warning"][];
        };
        /** @description The way that one layout turns into the next. */
        LayoutTransition: {
            /**
             * Format: int32
             * @description Milliseconds; 0, at once, when left out.
             */
            duration_ms?: number;
            /** @description The course of the change; `ease` when left out. */
            easing?: components["schemas"]["Easing"];
        };
        /** @description Something that happens by itself. */
        LayoutTrigger: {
            /** @description The actions of a firing, in this order. */
            do: components["schemas"]["TriggerAction"][];
            /**
             * Format: int32
             * @description Fires again and again, so many milliseconds apart, while it is true; once when left out.
             */
            every_ms?: number;
            /**
             * Format: int32
             * @description After it fired it does not fire again for so many milliseconds; 0 when left out.
             */
            hold_off_ms?: number;
            /** @description Unique among the layout's triggers. */
            id: string;
            /** @description The conditions under which it fires. */
            when: components["schemas"]["TriggerWhen"];
        };
        /**
         * @description The reason why someone is no longer in the room.
         * @enum {string}
         */
        LeaveReason: "left" | "lost" | "removed" | "refused";
        /** @description The result of loading a scenario. */
        LoadedScenario: {
            /** @description The files that a Virfie scenario names. */
            assets: components["schemas"]["ScenarioAsset"][];
            /** @description The scenes as they are kept. */
            scenes: components["schemas"]["Scene"][];
            /** @description Assets that it names and the server lacks, which are left out, and characters that no font has. */
            warnings: components["schemas"]["ProblemPlace"][];
        };
        /** @description The loudness of the mix, by EBU R 128. All is null while the room is silent, except what counts from its beginning. */
        Loudness: {
            /**
             * Format: double
             * @description Since the room's media began, without pauses, in LUFS.
             */
            integrated?: number | null;
            /**
             * Format: double
             * @description Highest true peak since the room's media began, in dBTP.
             */
            max_true_peak?: number | null;
            /**
             * Format: double
             * @description Over the last 400 ms, in LUFS.
             */
            momentary?: number | null;
            /**
             * Format: double
             * @description Over the last three seconds, in LUFS.
             */
            short_term?: number | null;
            /**
             * Format: double
             * @description Highest true peak of the last second, in dBTP.
             */
            true_peak?: number | null;
        };
        /** @description A moment that has a name in all recordings that ran then. */
        Marker: {
            /**
             * Format: date-time
             * @description Time at which it was set.
             */
            at: string;
            /** @description Its name, 1 to 100 characters. */
            name: string;
        };
        /**
         * @description The rights of a participant.
         * @enum {string}
         */
        MemberRole: "participant" | "producer" | "admin";
        /** @description The changes that a moderator makes to a participant; what is left out stays. */
        Moderation: {
            /** @description Taken off the canvas. */
            hidden?: boolean | null;
            /** @description Silenced in the mix. */
            muted?: boolean | null;
            /**
             * Format: double
             * @description Direction from which they are heard, -1.0 (left) to 1.0 (right).
             */
            pan?: number | null;
            stage?: components["schemas"]["Stage"] | null;
            /**
             * Format: double
             * @description Gain in the mix, 0.0 to 2.0.
             */
            volume?: number | null;
        };
        /** @description A line that is to be shown. */
        NewChatLine: {
            /**
             * @description The name of its writer: 1 to 64 characters. They need not be in the room.
             * @example ann
             */
            name: string;
            /**
             * @description The line: 1 to 500 characters.
             * @example Hello!
             */
            text: string;
        };
        /** @description A marker that is asked for. */
        NewMarker: {
            /** @description The moment's name: 1 to 100 characters, some of which can be seen, without control characters. */
            name: string;
        };
        /** @description An output as it is asked for and stored. Without `Debug`: it holds stream keys. */
        NewOutput: {
            /** @description The sound. */
            audio?: components["schemas"]["OutputAudio"];
            container?: components["schemas"]["Container"] | null;
            /**
             * @description `iso`: whether the person is recorded cut out of each participant's picture, too: ProRes 4444 with alpha, in a
             *     `.mov` each. Takes two thirds of a core for each participant at 640x360, and a model.
             * @default false
             */
            cutouts?: boolean;
            /**
             * @description Whether it runs. Default: true.
             * @default true
             */
            enabled?: boolean;
            /** @description `rtmp`: the stream key, where the URL ends with the application: needed for keys with a slash. */
            key?: string | null;
            layout?: components["schemas"]["Layout"] | null;
            /**
             * @description Its name, 1 to 64 letters, digits, `-` and `_`. `file`: the beginning of the file's name; `hls`: a part of its
             *     address, `/hls/{room}/{name}/index.m3u8`. There it is the room's name where it is left out.
             */
            name?: string | null;
            /**
             * @description `file`: whether it is paused. Remembered until it is resumed, or stopped.
             * @default false
             */
            paused?: boolean;
            preset?: components["schemas"]["Preset"] | null;
            /**
             * @description The name of a scene of the room that is shown in place of the program, as it is at the time. Of its canvas, what
             *     it leaves out is the output's `video.size`, or the room's.
             * @example Vertical
             */
            scene?: string | null;
            /**
             * Format: int32
             * @description `hls`: seconds of a segment, a multiple of `video.keyframe_seconds`. Default: 4, or the next multiple.
             */
            segment_seconds?: number | null;
            /**
             * Format: int32
             * @description `hls` with a sliding window: how many segments are listed. Default: 6.
             */
            segments?: number | null;
            split?: components["schemas"]["Split"] | null;
            /** @description `whip`: the bearer token that the other server wants. */
            token?: string | null;
            /** @description Its kind. */
            type: components["schemas"]["OutputKind"];
            /**
             * @description Destination. `rtmp`: `rtmp://host/app/key` or `rtmps://…`; what stands behind the host is sent as it is written.
             *     `srt`: `srt://host:port?passphrase=…&latency=…&streamid=…`, or `srt://:port` for receivers that call. `whip`:
             *     `https://host/…` or `http://…`, to which an offer is posted. At most 2048 bytes.
             * @example rtmp://live.example/app/stream-key
             */
            url?: string | null;
            /** @description The picture. */
            video?: components["schemas"]["OutputVideo"];
            window?: components["schemas"]["HlsWindow"] | null;
        };
        /**
         * @description The event in a room. Types and the keys of their data are those of the room's own stream where that reports it,
         *     too.
         */
        Notice: {
            /** @description The room is there. */
            data: {
                /** @description Whether it was stored before this start of the server. */
                restored: boolean;
            };
            /** @enum {string} */
            type: "room_started";
        } | {
            /** @description The room is gone, and everybody in it. Its outputs have stopped; recordings are finished soon after. */
            data: {
                /** @description Reason for the end. */
                reason: components["schemas"]["EndReason"];
            };
            /** @enum {string} */
            type: "room_ended";
        } | {
            /** @description Someone came in. */
            data: {
                /** @description The newcomer. */
                participant: components["schemas"]["Participant"];
            };
            /** @enum {string} */
            type: "participant_joined";
        } | {
            /** @description Someone is gone for good. */
            data: {
                /** @description Their id. */
                id: string;
                /** @description Their name. */
                name: string;
                /** @description Reason for leaving. */
                reason: components["schemas"]["LeaveReason"];
            };
            /** @enum {string} */
            type: "participant_left";
        } | {
            /**
             * @description An output is `live`, `retrying`, `stopped` or `failed` now, and was not before. The single tries of
             *     one that retries are not reported.
             */
            data: {
                /** @description The output. */
                output: components["schemas"]["Output"];
            };
            /** @enum {string} */
            type: "output_changed";
        } | {
            /** @description An output is deleted. If it ran, its stop was reported before. */
            data: {
                /** @description Name of the one that is meant. */
                id: string;
            };
            /** @enum {string} */
            type: "output_removed";
        } | {
            /** @description A file of an output is finished. */
            data: {
                /** @description The file. */
                recording: components["schemas"]["FinishedRecording"];
            };
            /** @enum {string} */
            type: "recording_finished";
        };
        /** @description Something that the room is sent to. */
        Output: {
            /**
             * Format: int32
             * @description Number of this retry, 1 for the first; null when it is not retrying.
             */
            attempt?: number | null;
            audio?: components["schemas"]["OutputAudioSettings"] | null;
            /** @description Whether the other end takes less than is sent, so that pictures are left out. */
            behind: boolean;
            /**
             * Format: int64
             * @description Bit rate that goes out now, in kbit/s; null while it is not live.
             */
            bitrate?: number | null;
            blame?: components["schemas"]["Blame"] | null;
            /**
             * Format: int64
             * @description Bytes that have gone out on this connection, or into this file.
             */
            bytes: number;
            /**
             * Format: date-time
             * @description Time at which it was made.
             */
            created_at: string;
            /** @description Whether people are recorded cut out, too. */
            cutouts: boolean;
            /** @description Whether it is to run. */
            enabled: boolean;
            encoder_preset?: components["schemas"]["Speed"] | null;
            /** @description Its id. */
            id: string;
            /** @description The error that broke it last; null once it is live again. */
            last_error?: string | null;
            layout?: components["schemas"]["Layout"] | null;
            /**
             * Format: date-time
             * @description Since when it is live.
             */
            live_since?: string | null;
            /** @description Its name; null without one. */
            name?: string | null;
            /**
             * Format: date-time
             * @description Time at which it is tried again.
             */
            next_retry_at?: string | null;
            preset?: components["schemas"]["Preset"] | null;
            /** @description The scene that it shows in place of the program. */
            scene?: string | null;
            split?: components["schemas"]["Split"] | null;
            /** @description State that it is in. */
            state: components["schemas"]["OutputPhase"];
            /** @description Its kind. */
            type: components["schemas"]["OutputKind"];
            /** @description Destination, without the stream key; a recording's file. Null for those who do not direct the room. */
            url?: string | null;
            video?: components["schemas"]["OutputVideoSettings"] | null;
        };
        /** @description The wishes for the sound. What is left out is the usual. */
        OutputAudio: {
            /**
             * Format: int32
             * @description In kbit/s. Default: 128.
             * @default null
             */
            bitrate?: number | null;
            /**
             * Format: int32
             * @description 1 or 2. Default: 2.
             * @default null
             */
            channels?: number | null;
            /**
             * Format: int32
             * @description Levelled to so many LUFS by EBU R 128, as in -16 (podcasts, the web) or -23 (broadcasting), with true peaks
             *     below -1 dB. Default: as it is mixed.
             * @default null
             */
            loudness?: number | null;
            /**
             * Format: int32
             * @description 44100 or 48000. Default: 48000.
             * @default null
             */
            sample_rate?: number | null;
        };
        /** @description A sound as it is encoded. Outputs of equal settings share one encoder. */
        OutputAudioSettings: {
            /**
             * Format: int32
             * @description In kbit/s.
             */
            bitrate: number;
            /**
             * Format: int32
             * @description 1 or 2.
             */
            channels: number;
            /** @description The codec. */
            codec: components["schemas"]["AudioCodec"];
            /**
             * Format: int32
             * @description The loudness that it is levelled to, in LUFS; null: it is as it is mixed.
             */
            loudness?: number | null;
            /**
             * Format: int32
             * @description Samples a second.
             */
            sample_rate: number;
        };
        /**
         * @description Kind of an output.
         * @enum {string}
         */
        OutputKind: "rtmp" | "srt" | "hls" | "file" | "iso" | "whip";
        /**
         * @description The phase of an output's life.
         * @enum {string}
         */
        OutputPhase: "connecting" | "live" | "paused" | "retrying" | "stopped" | "failed";
        /** @description The outcome of a trial. */
        OutputTrial: {
            blame?: components["schemas"]["Blame"] | null;
            /** @description The error of that step, without secrets. */
            detail?: string | null;
            /**
             * Format: int64
             * @description Time that all steps took together.
             */
            milliseconds: number;
            /** @description Whether all that can be tried without going live went well. */
            ok: boolean;
            /** @description The step that failed. */
            step?: string | null;
            /** @description The steps that were taken, in order. Which there are depends on the type. */
            steps: components["schemas"]["TrialStep"][];
        };
        /** @description The wishes for the picture. What is left out is the preset's, or the canvas's and the usual. */
        OutputVideo: {
            /**
             * Format: int32
             * @description In kbit/s. Default: by size and rate, 2,500 at 1280x720 and 30 frames a second.
             * @default null
             */
            bitrate?: number | null;
            /**
             * Format: int32
             * @description Frames a second. Default: the canvas's.
             * @default null
             */
            fps?: number | null;
            /**
             * Format: int32
             * @description From one keyframe to the next; none comes between. Default: 2.
             * @default null
             */
            keyframe_seconds?: number | null;
            /** @default null */
            preset?: components["schemas"]["Speed"] | null;
            /** @default null */
            profile?: components["schemas"]["Profile"] | null;
            /** @default null */
            rate_control?: components["schemas"]["RateControl"] | null;
            /**
             * @description `WIDTHxHEIGHT`, even numbers from 64 to 4096. A canvas of another shape gets bars. A layout that does not say
             *     how large its canvas is, is composed at this size. Default: the canvas's.
             * @default null
             * @example 1280x720
             */
            size?: string | null;
        };
        /** @description A picture as it is encoded. Outputs of equal settings share one encoder. */
        OutputVideoSettings: {
            /**
             * Format: int32
             * @description In kbit/s.
             */
            bitrate: number;
            /**
             * Format: int32
             * @description Frames a second.
             */
            fps: number;
            /**
             * Format: int32
             * @description In pixels.
             */
            height: number;
            /**
             * Format: int32
             * @description Seconds between two keyframes.
             */
            keyframe_seconds: number;
            /** @description Encoded at once for WebRTC (`whip`): no B-frames, no look-ahead, and a keyframe when the other end lost one. */
            low_delay: boolean;
            preset?: components["schemas"]["Speed"] | null;
            /** @description The profile of H.264. */
            profile: components["schemas"]["Profile"];
            /** @description Way in which the bit rate is kept. */
            rate_control: components["schemas"]["RateControl"];
            /**
             * Format: int32
             * @description In pixels.
             */
            width: number;
        };
        /** @description Someone who sends and receives. */
        Participant: {
            /** @description Whether their microphone is on. */
            audio: boolean;
            delivery?: components["schemas"]["Delivery"] | null;
            /** @description Taken off the canvas by a moderator. */
            hidden: boolean;
            /** @description Stays the same when the connection is replaced. */
            id: string;
            /**
             * Format: date-time
             * @description Time at which they joined.
             */
            joined_at: string;
            /** @description Whether nobody is found in the pictures that they send, though a layer cuts them out. */
            lost: boolean;
            /** @description Silenced by a moderator. */
            muted: boolean;
            /** @description Unique in the room; layouts place people by it. */
            name: string;
            /**
             * Format: double
             * @description Direction from which they are heard, -1.0 (left) to 1.0 (right); 0.0 is the middle.
             */
            pan: number;
            /**
             * @description Reason why nothing is seen of the video that they send: it is too large, or cannot be decoded. Null while all is
             *     well.
             */
            problem?: string | null;
            /** @description Their role. */
            role: components["schemas"]["MemberRole"];
            /** @description Width and height of the picture that they send, in pixels; null while none comes. */
            size?: number[] | null;
            /** @description Whether they speak now. */
            speaking: boolean;
            /** @description Where they stand on the way into the programme: only who is `on_air` is seen and heard in it. */
            stage: components["schemas"]["Stage"];
            /** @description State of the connection. */
            state: components["schemas"]["Presence"];
            /** @description Whether their camera is on. */
            video: boolean;
            /**
             * Format: double
             * @description Gain in the mix, 0.0 to 2.0.
             */
            volume: number;
        };
        /** @description Everybody who is seen in one participant's picture. */
        ParticipantPoses: {
            /**
             * Format: double
             * @description Age of the picture in which this was found, in milliseconds.
             */
            age_ms: number;
            /** @description The participant. */
            id: string;
            /** @description Their name. */
            name: string;
            /** @description The most certain first; empty when nobody is seen. */
            poses: components["schemas"]["Pose"][];
        };
        /** @description A picture that a trigger took. */
        Photo: {
            /**
             * Format: int32
             * @description In pixels.
             */
            height: number;
            /** @description Its id. */
            id: string;
            /**
             * Format: date-time
             * @description Time at which it was taken.
             */
            taken_at: string;
            /** @description The id of the trigger that took it. */
            trigger: string;
            /**
             * Format: int32
             * @description In pixels.
             */
            width: number;
        };
        /** @description Plays a sound into the mix. */
        PlaySound: {
            /** @description A sound asset's name. */
            sound: string;
        };
        /**
         * @description A frame is shown somewhere about the middle of its area; when its time is over the picture in it is taken (reported
         *     by the event `photo_taken`) and it goes elsewhere.
         */
        Polaroid: {
            /**
             * @description Area in which it moves about: its middle is no further from this area's middle than 3/16 of the area's width and
             *     1/6 of its height. Nothing is drawn outside. The whole canvas when left out.
             */
            area?: components["schemas"]["TriggerArea"];
            /**
             * Format: int32
             * @description Milliseconds from one picture to the next.
             */
            every_ms: number;
            /**
             * Format: double
             * @description Of the frame, in canvas pixels.
             */
            height: number;
            /** @description The frame's image asset. */
            image: string;
            /**
             * Format: double
             * @description Of the picture that is taken, in canvas pixels.
             */
            photo_height: number;
            /**
             * Format: double
             * @description Of the picture that is taken, in canvas pixels, about the same middle.
             */
            photo_width: number;
            /** @description A sound asset that is played with every picture. */
            sound?: string;
            /**
             * Format: double
             * @description Of the frame, in canvas pixels.
             */
            width: number;
        };
        /** @description Takes photographs in a frame that moves about. */
        PolaroidAction: {
            /** @description The polaroid. */
            polaroid: components["schemas"]["Polaroid"];
        };
        /** @description One person in a participant's picture. */
        Pose: {
            /** @description All 17, always in the same order. */
            keypoints: components["schemas"]["Keypoint"][];
            /**
             * Format: double
             * @description Certainty that there is someone, 0 to 1.
             */
            score: number;
        };
        /**
         * @description The state of a participant's connection.
         * @enum {string}
         */
        Presence: "connecting" | "connected" | "away";
        /**
         * @description Platforms' wishes, by name.
         * @enum {string}
         */
        Preset: "twitch-1080p" | "twitch-720p" | "youtube-1080p" | "youtube-720p" | "facebook-720p" | "archive";
        /** @description The shape of a problem, for the OpenAPI document. */
        Problem: {
            /** @description The fault of this request, for a person. */
            detail: string;
            /** @description The wrong places of the body, if it has any. */
            errors?: components["schemas"]["ProblemPlace"][] | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind in words. */
            title: string;
            /**
             * @description A stable URN of the kind of problem.
             * @example urn:virfie:problem:invalid
             */
            type: string;
        };
        /** @description One wrong place of a body. */
        ProblemPlace: {
            /** @description The fault of that place. */
            detail: string;
            /**
             * @description RFC 6901 JSON pointer; empty for the whole body.
             * @example /layers/0/x
             */
            pointer: string;
        };
        /**
         * @description The part of H.264 that a decoder must know.
         * @enum {string}
         */
        Profile: "baseline" | "main" | "high";
        /**
         * @description The way that the bit rate is kept.
         * @enum {string}
         */
        RateControl: "cbr" | "vbr";
        /** @description The readiness of the server: whether it takes requests, and what it can do. */
        Readiness: {
            /** @description The rooms. */
            rooms: components["schemas"]["RoomsReadiness"];
            /** @description Cutting people out. */
            segmentation: components["schemas"]["SegmentationReadiness"];
            /**
             * @description `ready`; `degraded` while the disk refuses rooms (requests are taken all the same); `failing` while a room waits
             *     for new media; `draining` while the server ends.
             * @example ready
             */
            status: string;
            /** @description The files of stored rooms. */
            storage: components["schemas"]["StorageReadiness"];
            /** @description The program's version. */
            version: string;
        };
        /** @description A file that a room has recorded. */
        Recording: {
            /**
             * Format: int64
             * @description Its size.
             */
            bytes: number;
            /**
             * Format: date-time
             * @description Time of the last write.
             */
            changed_at: string;
            /**
             * @description Whether it is being written, or belongs to a recording that is paused. One whose end is not known was written to
             *     within the last seconds.
             */
            growing: boolean;
            /** @description Moments of it that have names, the earliest first. */
            markers: components["schemas"]["RecordingMarker"][];
            /**
             * @description Its file's name.
             * @example studio-20261128T120000Z.mkv
             */
            name: string;
            /**
             * Format: double
             * @description Length. Missing while it grows, and when its server was killed.
             */
            seconds?: number | null;
            /**
             * Format: date-time
             * @description The time that is zero in the file, by when its pictures were composed, to lay recordings beside each other. Of a
             *     participant's recording: when it begins. Missing when it is not known.
             */
            started_at?: string | null;
        };
        /** @description A moment of a recording that has a name. */
        RecordingMarker: {
            /**
             * Format: double
             * @description So long after the recording's begin.
             */
            at_seconds: number;
            /** @description Its name. */
            name: string;
        };
        /**
         * @description The rights of a request's bearer; each role includes those before it.
         * @enum {string}
         */
        Role: "viewer" | "participant" | "producer" | "admin";
        RoomDatum: string | number;
        /**
         * @description A room as one document. When it is imported, what is left out stays as it is, or is the server's default in a new
         *     room.
         */
        RoomDocument: {
            /** @description The name of the scene that was shown last, one of `scenes`. */
            active_scene?: string | null;
            /** @description Files of the assets that layout and scenes need, by name, in base64 (with padding). */
            assets?: {
                [key: string]: string;
            } | null;
            /** @description Who is barred, in the server's own file; neither exported nor looked at when imported. */
            bans?: components["schemas"]["RoomDocumentBan"][] | null;
            /**
             * Format: date-time
             * @description Time at which the room began; not looked at when imported.
             */
            created_at?: string | null;
            /** @description Values that texts show as `{data.KEY}`, by key: strings and numbers. */
            data?: {
                [key: string]: components["schemas"]["RoomDatum"];
            } | null;
            layout?: components["schemas"]["Layout"] | null;
            /**
             * Format: int64
             * @description The room's revision; not looked at when imported.
             */
            revision?: number | null;
            /**
             * @description Names of those `assets` that belong to the room, which only it has. The others are put where the caller puts
             *     assets: on the shared shelf, or, with a token for one room, to those of the room.
             */
            room_assets?: string[] | null;
            /** @description All scenes, in order. */
            scenes?: components["schemas"]["SceneEntry"][] | null;
            settings?: components["schemas"]["RoomDocumentSettings"] | null;
            /** @description Timers, by id. */
            timers?: {
                [key: string]: components["schemas"]["KeptTimer"];
            } | null;
            /**
             * Format: int32
             * @description 1.
             */
            version: number;
        };
        /** @description Somebody who is barred, as it is stored. */
        RoomDocumentBan: {
            /**
             * Format: date-time
             * @description When they were barred.
             */
            banned_at: string;
            /** @description Its id. */
            id: string;
            /** @description The name that they asked for. */
            name: string;
            /** @description What their token is known by; left out where they came without one. */
            token?: string | null;
        };
        /** @description Settings in a document. */
        RoomDocumentSettings: {
            guests_land?: components["schemas"]["Landing"] | null;
            /**
             * Format: int64
             * @description Time for which a lost participant's last picture and place are kept, in milliseconds.
             */
            hold_ms?: number | null;
            /** @description Whether keypoints are found. */
            keypoints?: boolean | null;
            /** @description Whether nobody new with the role `participant` comes in. */
            locked?: boolean | null;
            /**
             * Format: int32
             * @description Most participants who may be in at once.
             */
            max_participants?: number | null;
        };
        /** @description The poses of a room. */
        RoomPoses: {
            /** @description Everybody in whose pictures keypoints are found, in order of joining. */
            participants: components["schemas"]["ParticipantPoses"][];
        };
        /**
         * @description The settings that `PUT /rooms/{room}` changes; what is left out stays as it is, or is the server's default in a new
         *     room.
         */
        RoomSettings: {
            canvas?: components["schemas"]["Canvas"] | null;
            guests_land?: components["schemas"]["Landing"] | null;
            /**
             * Format: int64
             * @description Time for which a lost participant's last picture and place are kept, in milliseconds.
             */
            hold_ms?: number | null;
            /**
             * @description Whether the keypoints of everybody with a camera are found, for `GET /rooms/{room}/poses` and the events. It
             *     costs computing time. `true` needs a model that can: `segmentation.keypoints` of the room.
             */
            keypoints?: boolean | null;
            /**
             * @description Whether nobody new with the role `participant` comes in: they are refused with 403. Who is in stays and may come
             *     back, who directs the room comes in, and viewers do.
             */
            locked?: boolean | null;
            /**
             * Format: int32
             * @description Most participants who may be in at once.
             */
            max_participants?: number | null;
        };
        /** @description A whole room. */
        RoomState: {
            active_scene?: components["schemas"]["ActiveScene"] | null;
            /** @description Places of all its layers now, back to front. */
            boxes: components["schemas"]["LayerBox"][];
            /** @description Size, frame rate and background. */
            canvas: components["schemas"]["Canvas"];
            /** @description The values for texts, by key; left out without any. */
            data?: {
                [key: string]: components["schemas"]["RoomDatum"];
            };
            /** @description Health of its media. */
            health: components["schemas"]["Health"];
            /** @description The layout that the canvas shows. */
            layout: components["schemas"]["Layout"];
            /** @description Loudness of its sound. */
            loudness: components["schemas"]["Loudness"];
            /** @description Outputs of the room. */
            outputs: components["schemas"]["Output"][];
            /** @description The participants, in order of joining. */
            participants: components["schemas"]["Participant"][];
            /**
             * Format: int64
             * @description Grows with each change of settings, layout or scenes.
             */
            revision: number;
            /** @description The room's name. */
            room: string;
            /** @description Names of the stored scenes, in order. */
            scenes: string[];
            /** @description State of the segmentation: whether people can be cut out. */
            segmentation: components["schemas"]["Segmentation"];
            /** @description The settings of its owner. */
            settings: components["schemas"]["Settings"];
            /** @description Its timers, by id; left out without any. */
            timers?: components["schemas"]["Timer"][];
            /** @description Deliveries of the mix to each of them, in order of joining; those who are still connecting are left out. */
            viewer_deliveries: components["schemas"]["Delivery"][];
            /** @description Number of those who only watch. */
            viewers: number;
            /** @description In the answer to an import: what can be shown, but not as it was meant. Places are those of the file. */
            warnings?: components["schemas"]["Warning"][];
        };
        /** @description One line of the list of rooms. */
        RoomSummary: {
            /**
             * Format: date-time
             * @description Time at which it began.
             */
            created_at: string;
            /** @description Number of its outputs. */
            outputs: number;
            /** @description Number of participants who are in. */
            participants: number;
            /**
             * Format: int64
             * @description Its revision.
             */
            revision: number;
            /** @description The room's name. */
            room: string;
            /** @description Number of those who only watch. */
            viewers: number;
        };
        /** @description The state of the rooms. */
        RoomsReadiness: {
            /** @description Number of rooms that wait for new media or a new task after a fault. */
            down: number;
            /**
             * Format: int64
             * @description Number of times that a room was begun again after a fault, since the server's start.
             */
            rebuilds: number;
        };
        /** @description A native scenario. */
        Scenario: {
            /** @description In order, at least one; the first one is shown. */
            scenes: components["schemas"]["SceneEntry"][];
        };
        /** @description A file that a Virfie scenario names. */
        ScenarioAsset: {
            /** @description Whether there is one. */
            found: boolean;
            /** @description The name of the asset that is taken for it. */
            name: string;
            /** @description Its path below `/static/`. */
            path: string;
        };
        /** @description A stored layout. */
        Scene: {
            /** @description Whether it was shown last. */
            active: boolean;
            /** @description With `?boxes=true`: where all of it would stand now, back to front. */
            boxes?: components["schemas"]["LayerBox"][] | null;
            /** @description Whether it was shown last, and the layout or the scene has been changed since. */
            changed: boolean;
            /** @description Keys of the canvas that it leaves out are the room's. */
            layout: components["schemas"]["Layout"];
            /**
             * @description Its name.
             * @example Interview
             */
            name: string;
            /** @description In answers to who stores or shows it: what of its layout can be shown, but not as it was meant. */
            warnings?: components["schemas"]["Warning"][];
        };
        /** @description A scene in a list that is put or imported. */
        SceneEntry: {
            /** @description As it is read; not looked at, so that what was read can be put back. */
            active?: boolean | null;
            /** @description As it is read with `?boxes=true`; not looked at. */
            boxes?: components["schemas"]["LayerBox"][] | null;
            /** @description As it is read; not looked at. */
            changed?: boolean | null;
            /** @description Keys of the canvas that it leaves out are the room's when it is shown. */
            layout: components["schemas"]["Layout"];
            /**
             * @description 1 to 64 characters, unique in the list.
             * @example Interview
             */
            name: string;
            /** @description As it is answered to who stores it; not looked at. */
            warnings?: components["schemas"]["Warning"][] | null;
        };
        /** @description The state of segmentation: whether people can be cut out, and how that goes. */
        Segmentation: {
            /** @description Whether a model is loaded. Without one whole pictures are shown. */
            available: boolean;
            /**
             * Format: double
             * @description Masks a second, of all participants together, that are not inferred from their own frame: they are carried on
             *     from an earlier one.
             */
            carried_per_second: number;
            /**
             * Format: int32
             * @description The network's inputs are so many sizes smaller than they should be, at most 3: the first that is given up when
             *     the machine has too little time.
             */
            inputs_smaller: number;
            /** @description Whether the model finds keypoints, too: the room's `keypoints` can be set. */
            keypoints: boolean;
            /**
             * Format: double
             * @description Mean age of the masks shown, in milliseconds: from the arrival of the frame that a mask was inferred from to its
             *     composition.
             */
            mask_age_ms: number;
            /**
             * Format: double
             * @description Mean time of one such mask, in milliseconds.
             */
            mask_ms: number;
            /**
             * Format: int32
             * @description A mask is inferred on every n-th frame of a stream of 30 frames a second, of others as often. 1 is on all; it
             *     grows when the machine has too little time.
             */
            masks_every: number;
            /**
             * Format: double
             * @description Masks inferred a second from their own frame, of all participants together.
             */
            masks_per_second: number;
            /** @description The model's name. */
            model?: string | null;
            /**
             * Format: double
             * @description Age of the oldest mask shown over the last second, in milliseconds, as above. A mask of another frame is always
             *     carried on frame by frame.
             */
            oldest_mask_ms: number;
            /** @description Reason why it is missing. */
            reason?: string | null;
            /**
             * Format: double
             * @description Frames a second, of all participants together, that are left out after decoding because the machine has no time
             *     for them. Those who are shown smallest lose theirs first.
             */
            thinned_per_second: number;
        };
        /**
         * @description The state of segmentation: whether people can be cut out. Without it, whole pictures are shown, and the server is
         *     ready all the same.
         */
        SegmentationReadiness: {
            /** @description Whether a model is loaded. */
            available: boolean;
            /** @description Whether the model finds keypoints, too. */
            keypoints: boolean;
            /** @description Its name. */
            model?: string | null;
            /** @description Reason why it is missing. */
            reason?: string | null;
        };
        /** @description Something that happened on the server. */
        ServerEvent: components["schemas"]["Notice"] & {
            /**
             * Format: date-time
             * @description Time of the event.
             */
            at: string;
            /**
             * Format: int64
             * @description Greater than that of every event before, also of those before a restart.
             */
            id: number;
            /** @description The room's name. */
            room: string;
        };
        /** @description A message of the session's WebSocket to the page. */
        ServerMessage: {
            /** @description For the browser's `RTCPeerConnection`. */
            ice_servers: components["schemas"]["IceServer"][];
            /** @description The page's user in it. */
            participant: components["schemas"]["Participant"];
            /** @description The secret of a later `join` that takes this place over. */
            resume: string;
            /** @description The room now. */
            room: components["schemas"]["RoomState"];
            /** @enum {string} */
            type: "welcome";
        } | {
            /** @description SDP. */
            sdp: string;
            /** @enum {string} */
            type: "offer";
        } | {
            /** @description SDP. */
            sdp: string;
            /** @enum {string} */
            type: "answer";
        } | {
            /**
             * Format: int64
             * @description Estimated capacity of the line, in kbit/s; null until known.
             */
            estimate_kbps: number | null;
            /**
             * Format: double
             * @description Share of packets lost, 0 to 1.
             */
            loss: number;
            /** @description Reason for this rendition. */
            reason: string;
            /** @description The rendition that is sent, by its height; null: sound alone. */
            rendition: string | null;
            /** @description All that there are, the largest first. */
            renditions: string[];
            /**
             * Format: double
             * @description To the browser and back, in milliseconds; null until measured.
             */
            round_trip_ms: number | null;
            /** @enum {string} */
            type: "delivery";
        } | {
            /**
             * Format: int32
             * @description Frames a second that can be of use.
             */
            fps: number;
            /**
             * Format: int32
             * @description In pixels of the whole picture; 0: not shown.
             */
            height: number;
            /** @enum {string} */
            type: "shown";
            /**
             * Format: int32
             * @description In pixels of the whole picture; 0: not shown.
             */
            width: number;
        } | {
            /** @description `candidate:…` */
            candidate: string;
            /**
             * Format: int32
             * @description Index of the m-line.
             */
            mline: number;
            /** @enum {string} */
            type: "candidate";
        } | {
            /** @enum {string} */
            type: "connected";
        } | {
            /** @description The same as in the event stream. */
            event: components["schemas"]["Event"];
            /** @enum {string} */
            type: "event";
        } | {
            /** @description An RFC 9457 object. */
            problem: components["schemas"]["Problem"];
            /** @enum {string} */
            type: "error";
        };
        /**
         * @description One of a page's two connections.
         * @enum {string}
         */
        SessionConnection: "send" | "receive";
        /** @description The settings of a room's owner. */
        Settings: {
            /** @description Where newcomers with the role `participant` land. */
            guests_land: components["schemas"]["Landing"];
            /**
             * Format: int64
             * @description Time for which a lost participant's last picture and place are kept, in milliseconds.
             */
            hold_ms: number;
            /** @description Whether the keypoints of everybody with a camera are found. */
            keypoints: boolean;
            /** @description Whether nobody new with the role `participant` comes in. */
            locked: boolean;
            /**
             * Format: int32
             * @description Most participants who may be in at once.
             */
            max_participants: number;
        };
        /** @description Shows a layer that is not seen otherwise. */
        ShowLayer: {
            /**
             * Format: int32
             * @description For so many milliseconds; left out, while the trigger is true.
             */
            for_ms?: number;
            /** @description The layer's id. */
            show: string;
        };
        /** @description The part of the canvas that a picture is taken of. */
        SnapshotShot: {
            /** @description The whole canvas when left out. */
            area?: components["schemas"]["TriggerArea"];
        };
        /**
         * @description The work that x264 puts into each picture, the least first.
         * @enum {string}
         */
        Speed: "ultrafast" | "superfast" | "veryfast" | "faster" | "fast" | "medium";
        /** @description The point where a recording goes on in another file: at the first keyframe from there. */
        Split: {
            /**
             * Format: int32
             * @description After so many seconds.
             */
            seconds: number;
        } | {
            /**
             * Format: int32
             * @description Before it is larger than so many megabytes.
             */
            megabytes: number;
        };
        /**
         * @description The place of a participant on their way into the programme.
         * @enum {string}
         */
        Stage: "backstage" | "ready" | "on_air";
        /** @description The state of storage: whether what was changed in rooms is on the disk. */
        StorageReadiness: {
            /** @description The newest error of the disk; null while it takes all. */
            error?: string | null;
            /**
             * Format: date-time
             * @description Since when there are such rooms.
             */
            since?: string | null;
            /** @description Number of rooms whose newest state the disk has refused so far. It is tried again. */
            unstored_rooms: number;
        };
        /** @description Takes a picture of the canvas, which the event `photo_taken` reports. */
        TakeSnapshot: {
            /** @description Of which part. */
            snapshot: components["schemas"]["SnapshotShot"];
        };
        /** @description Notifies everybody who listens to the room's events; the name is in `trigger_fired`. */
        TellEvent: {
            /** @description Any text of 1 to 128 characters. */
            event: string;
        };
        /**
         * @description The alignment of a text's lines.
         * @enum {string}
         */
        TextAlign: "left" | "center" | "right";
        TextCrawl: number | string;
        /** @description A timer as others see it. Its time now follows from when it was started. */
        Timer: {
            /**
             * Format: double
             * @description Time that it had run, in seconds, when it was started or stopped last.
             */
            elapsed: number;
            /**
             * Format: date-time
             * @description Time at which it ends; null while it stands, and where it only counts up.
             */
            ends_at?: string | null;
            /**
             * @description Its id.
             * @example start
             */
            id: string;
            /** @description Whether it runs. */
            running: boolean;
            /** @description The scene that is shown at its end, `next` or `previous`; null: none. */
            scene?: string | null;
            /**
             * Format: int64
             * @description Seconds from which it counts down; null: it only counts up.
             */
            seconds?: number | null;
            /**
             * Format: date-time
             * @description Time at which it was started last; null while it stands.
             */
            since?: string | null;
        };
        /** @description The length of a countdown, and the scene that comes then. */
        TimerLength: {
            /**
             * @description The scene that is shown at the end: its name, `next` or `previous`. Only beside `seconds`.
             * @example Live
             */
            scene?: string | null;
            /**
             * Format: int64
             * @description Seconds. Left out: as before; a timer that never had a length only counts up.
             * @example 300
             */
            seconds?: number | null;
        };
        /** @description A signed token. */
        Token: {
            /**
             * Format: date-time
             * @description Until when it is valid, RFC 3339.
             */
            expires_at: string;
            /** @description Takes it back: `DELETE /tokens/{id}`. */
            id: string;
            /** @description A JWT, for `Authorization: Bearer …` or `?token=…`. */
            token: string;
        };
        /** @description The wished content of a token. */
        TokenRequest: {
            /**
             * Format: int64
             * @description Until when it is valid, in seconds since 1970; excludes `ttl_seconds`.
             */
            exp?: number | null;
            /** @description The display name that its bearer has. The marks of direction U+061C, U+200E and U+200F are dropped. */
            name?: string | null;
            /**
             * Format: int32
             * @description Number of participants whom it lets into one room at once; 4 when left out. For a link that many shall use.
             */
            places?: number | null;
            /** @description The role of its bearer. */
            role: components["schemas"]["Role"];
            /** @description The only room it opens; every room when left out. */
            room?: string | null;
            /**
             * Format: int64
             * @description Lifetime in seconds; six hours when neither this nor `exp` is given.
             */
            ttl_seconds?: number | null;
        };
        /** @description A step of a trial that was taken. */
        TrialStep: {
            /**
             * Format: int64
             * @description Time that it took.
             */
            milliseconds: number;
            /**
             * @description The step.
             * @example connect
             */
            name: string;
        };
        /**
         * @description The meaning for a condition of the case that a layer shows nobody, or that nobody is shown at all.
         * @enum {string}
         */
        TriggerAbsent: "block" | "ignore";
        /** @description The effect of a trigger: an object of one of these shapes. */
        TriggerAction: components["schemas"]["ActivateScene"] | components["schemas"]["ShowLayer"] | components["schemas"]["PlaySound"] | components["schemas"]["TakeSnapshot"] | components["schemas"]["TellEvent"] | components["schemas"]["TwirlAction"] | components["schemas"]["IconsAction"] | components["schemas"]["PolaroidAction"];
        /** @description A part of the canvas; every edge is measured from the canvas's top left corner. A point on an edge is outside. */
        TriggerArea: {
            /** @description Canvas pixels from the top, or `"n%"` of the canvas's height; `"100%"` when left out. */
            bottom: components["schemas"]["LayerPosition"];
            /** @description Canvas pixels from the left, or `"n%"` of the canvas's width; 0 when left out. */
            left: components["schemas"]["LayerPosition"];
            /** @description Canvas pixels from the left, or `"n%"` of the canvas's width; `"100%"` when left out. */
            right: components["schemas"]["LayerPosition"];
            /** @description Canvas pixels from the top, or `"n%"` of the canvas's height; 0 when left out. */
            top: components["schemas"]["LayerPosition"];
        };
        /** @description A keypoint of people is inside an area of the canvas. */
        TriggerCondition: {
            /** @description The meaning of a layer that shows nobody; `block` when left out. */
            absent?: components["schemas"]["TriggerAbsent"];
            /** @description Area in which it happens. */
            area: components["schemas"]["TriggerArea"];
            /** @description Point of a person; left and right are the person's own. One that is not seen (a score below 0.1) is nowhere. */
            keypoint: components["schemas"]["KeypointName"];
            /** @description Layers whose people count; `all` when left out. */
            layers?: components["schemas"]["TriggerLayers"];
        };
        TriggerLayers: "all" | string[];
        TriggerWhen: components["schemas"]["TriggerCondition"] | components["schemas"]["TriggerCondition"][] | "always";
        /** @description A swirl to and fro, in the circle that is as wide as its area, about the area's middle. */
        Twirl: {
            /**
             * Format: double
             * @description Degrees that the middle is turned by at most.
             */
            angle: number;
            /** @description The whole canvas when left out. */
            area?: components["schemas"]["TriggerArea"];
            /**
             * Format: double
             * @description Milliseconds for once to and fro.
             */
            period_ms: number;
        };
        /** @description Swirls the picture. */
        TwirlAction: {
            /** @description The twirl. */
            twirl: components["schemas"]["Twirl"];
        };
        /** @description The warning that something can be shown, but not as it was meant. */
        Warning: {
            /** @description The warning, in one line. */
            detail: string;
            /** @description JSON pointer (RFC 6901) to the place in the layout. */
            pointer: string;
        };
        /**
         * @description The reason why nothing is seen of a box.
         * @enum {string}
         */
        WhyHidden: "nobody" | "no_picture" | "no_asset" | "transparent" | "cropped" | "too_small" | "off_canvas";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list: {
        parameters: {
            query?: {
                /**
                 * @description As this room sees them: its own, and those of the shared shelf whose names its own do not have. What is
                 *     put or deleted is the room's own. Left out: the token's room, or, without one, the shared shelf alone.
                 * @example demo
                 */
                room?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetList"];
                };
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read: {
        parameters: {
            query?: {
                /**
                 * @description As this room sees them: its own, and those of the shared shelf whose names its own do not have. What is
                 *     put or deleted is the room's own. Left out: the token's room, or, without one, the shared shelf alone.
                 * @example demo
                 */
                room?: string;
            };
            header?: never;
            path: {
                /** @description The asset's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file as it was put */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": number[];
                };
            };
            /** @description A part of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/*": number[];
                };
            };
            /** @description `If-None-Match` names what is there */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put: {
        parameters: {
            query?: {
                /**
                 * @description As this room sees them: its own, and those of the shared shelf whose names its own do not have. What is
                 *     put or deleted is the room's own. Left out: the token's room, or, without one, the shared shelf alone.
                 * @example demo
                 */
                room?: string;
            };
            header?: never;
            path: {
                /** @description 1 to 128 of `A-Z a-z 0-9 . _ -`, with no dot in front */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            /** @description Kept in place of an older one */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Asset"];
                };
            };
            /** @description Kept; the name was free */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Asset"];
                };
            };
            /** @description The shared shelf has one of this name, and the token is for one room */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body did not come in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many files are being received, or the server cannot look into one now; `Retry-After` says when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete: {
        parameters: {
            query?: {
                /**
                 * @description As this room sees them: its own, and those of the shared shelf whose names its own do not have. What is
                 *     put or deleted is the room's own. Left out: the token's room, or, without one, the shared shelf alone.
                 * @example demo
                 */
                room?: string;
            };
            header?: never;
            path: {
                /** @description The asset's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It stands on the shared shelf, and the token is for one room */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A room's layout shows it, or it is built in */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    server_events: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the newest event that is known */
                "Last-Event-ID"?: number | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events; `event` is the type, `id` the id, `data` the JSON */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["ServerEvent"];
                };
            };
            /** @description The token is for one room, or its role is too small */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_hls: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's name */
                name: string;
                /** @description `index.m3u8`, or what a playlist names */
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The playlist, or the segment (`video/mp2t`) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.apple.mpegurl": unknown;
                };
            };
            /** @description A part of a segment */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp2t": unknown;
                };
            };
            /** @description No such output or segment */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such part */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Nothing is listed yet; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rooms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomSummary"][];
                };
            };
        };
    };
    get_room: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room; `ETag` is its revision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomState"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_room: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name: 1 to 64 of `A-Z a-z 0-9 _ -` */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoomSettings"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomState"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomState"];
                };
            };
            /** @description The room's outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server's limit of rooms is reached */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Rooms that are over still end, or the server cannot make the layout ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_room: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_bans: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the order in which they were barred */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ban"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_ban: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The ban's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They may come again */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room or ban */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_chat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description At most 100, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatLine"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_chat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewChatLine"];
            };
        };
        responses: {
            /** @description The line */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatLine"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description More lines than the room takes in a second; `Retry-After` says when to ask again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    clear_chat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There are no lines */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_chat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The line's id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room or line */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_data: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By key */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: components["schemas"]["RoomDatum"];
                    };
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_data: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The key */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The value */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDatum"];
                };
            };
            /** @description No such room, or nothing was put under this key */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_data: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The key: 1 to 64 of `A-Z a-z 0-9 _ -` */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoomDatum"];
            };
        };
        responses: {
            /** @description Put in place of another value */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDatum"];
                };
            };
            /** @description Put; there was none */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDatum"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has as many keys as it may */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key or the value is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_data: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The key */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken away */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room, or nothing was put under this key */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    room_events: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events; `event` is the type, `data` the JSON */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    export_room: {
        parameters: {
            query?: {
                /** @description Whether the files of assets are in it. They are if this is left out. */
                assets?: boolean;
            };
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A file to download; `ETag` is the room's revision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomDocument"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Its assets are too large for one file; `assets=false` leaves them out */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import_room: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoomDocument"];
            };
        };
        responses: {
            /** @description Imported */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomState"];
                };
            };
            /** @description Imported into a new room */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomState"];
                };
            };
            /** @description An output shows a scene that is gone, or what outputs show would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The file has more than 128 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the file; nothing is changed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_layout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole layout; `ETag` is the room's revision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_layout: {
        parameters: {
            query?: {
                /** @description Only validate, and return what the layout would become */
                dry_run?: boolean;
            };
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Layout"];
            };
        };
        responses: {
            /** @description The layout as it is now, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
                };
            };
            /** @description The room's outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the layout */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_layout: {
        parameters: {
            query?: {
                /** @description Only validate, and return what the layout would become */
                dry_run?: boolean;
            };
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["Layout"];
            };
        };
        responses: {
            /** @description The layout as it is now, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
                };
            };
            /** @description The room's outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the patched layout */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_layer: {
        parameters: {
            query?: {
                /** @description Only validate, and return what the layout would become */
                dry_run?: boolean;
            };
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The layer's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole layout as it is now, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
                };
            };
            /** @description No such room or layer */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_layer: {
        parameters: {
            query?: {
                /** @description Only validate, and return what the layout would become */
                dry_run?: boolean;
            };
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The layer's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["Layer"];
            };
        };
        responses: {
            /** @description The whole layout as it is now, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
                };
            };
            /** @description No such room or layer */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the patched layer */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_marker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMarker"];
            };
        };
        responses: {
            /** @description Made; where it is in a recording, the list of recordings says */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Marker"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No recording runs, or all have their most */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_outputs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_output: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOutput"];
            };
        };
        responses: {
            /** @description Made; `Location` is its address */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description The room has too many outputs */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Outputs or rooms that are over still end, or the server cannot make its picture ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_outputs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All outputs, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room's outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stop_outputs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All outputs, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_output: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewOutput"];
            };
        };
        responses: {
            /** @description Tried */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OutputTrial"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many are being tried, or the server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_output: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_output: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Stopped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_output: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        /** @description The keys that change; null takes one away */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pause_output: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not a recording, or does not run */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resume_output: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not a recording, or does not run */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_output: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room's outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stop_output: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The output's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The output */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Output"];
                };
            };
            /** @description No such room or output */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_participants: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In order of joining */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Participant"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_participant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The participant's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The participant */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Participant"];
                };
            };
            /** @description No such room or participant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_participant: {
        parameters: {
            query?: {
                /**
                 * @description Also keep them out until the room ends: who has their token is refused as a participant; of somebody without a
                 *     token, who asks for their name without one.
                 */
                ban?: boolean;
            };
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The participant's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room or participant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room bars as many as it may */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_participant: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The participant's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Moderation"];
            };
        };
        responses: {
            /** @description The participant as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Participant"];
                };
            };
            /** @description No such room or participant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_photos: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Photo"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_photo: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The picture's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description No such room or picture */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many pictures are asked for at once */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_poses: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By participant, in order of joining */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomPoses"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room's `keypoints` is false */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no model, or one that finds no keypoints */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_recordings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Recording"][];
                };
            };
        };
    };
    get_recording: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The file's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/x-matroska": unknown;
                };
            };
            /** @description A part of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/x-matroska": unknown;
                };
            };
            /** @description No such recording */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such part */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_recording: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The file's name */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such recording */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is being written */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_scenario: {
        parameters: {
            query?: {
                /** @description Only return what it would become */
                dry_run?: boolean;
            };
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Scenario"];
            };
        };
        responses: {
            /** @description What became of it; `ETag` is the room's revision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoadedScenario"];
                };
            };
            /** @description Neither JSON nor a script with one scenario */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An output shows a scene that is gone, or what outputs show would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of it */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_scenes: {
        parameters: {
            query?: {
                /** @description Also return where all of each scene would stand now; for those who direct the room. A text that is not measured within two seconds has `hidden: no_asset`; ask again */
                boxes?: boolean;
            };
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In order; `ETag` is the room's revision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_scenes: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SceneEntry"][];
            };
        };
        responses: {
            /** @description The scenes as they are kept */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"][];
                };
            };
            /** @description An output shows a scene that is gone, or what outputs show would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the list */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    next_scene: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scene that is shown */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has no scenes, or its outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previous_scene: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scene that is shown */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has no scenes, or its outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_scene: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The scene's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `ETag` is the room's revision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"];
                };
            };
            /** @description No such room or scene */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_scene: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The scene's name: 1 to 64 characters, not `/ \ ? # %`, no dot in front, and not `next` or `previous` */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Layout"] | null;
            };
        };
        responses: {
            /** @description Stored in place of an older one */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"];
                };
            };
            /** @description Stored; the name was free */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"];
                };
            };
            /** @description The room has as many scenes as it may, or its outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong places of the layout */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_scene: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The scene's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room or scene */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    activate_scene: {
        parameters: {
            query?: never;
            header?: {
                /** @description The revision that the room must be at */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The scene's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scene that is shown */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scene"];
                };
            };
            /** @description No such room or scene */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room's outputs would be more than the machine encodes for one room */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has changed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Places of the scene's layout that cannot be shown any more */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server cannot make it ready now; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session: {
        parameters: {
            query?: {
                /** @description Key or token: a browser cannot send headers with a WebSocket */
                token?: string;
            };
            header?: never;
            path: {
                /** @description The room's name; the room is made if it does not exist */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The socket. The first message is `join`; refusals come as an `error` message */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No WebSocket handshake */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    snapshot_jpg: {
        parameters: {
            query?: {
                /** @description The id of an output: what that shows */
                output?: string;
            };
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The canvas */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No picture yet, or too many are asked for at once */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    snapshot_png: {
        parameters: {
            query?: {
                /** @description The id of an output: what that shows */
                output?: string;
            };
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The canvas */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": number[];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No picture yet, or too many are asked for at once */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_timers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By id */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timer"][];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_timer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The timer's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The timer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timer"];
                };
            };
            /** @description No such room or timer */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_timer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The timer's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such room or timer */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reset_timer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The timer's id: 1 to 64 of `A-Z a-z 0-9 _ -` */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TimerLength"] | null;
            };
        };
        responses: {
            /** @description It stands at its beginning */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timer"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has as many timers as it may */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The id or the body is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_timer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The timer's id: 1 to 64 of `A-Z a-z 0-9 _ -` */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TimerLength"] | null;
            };
        };
        responses: {
            /** @description It runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timer"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room has as many timers as it may */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The id or the body is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stop_timer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The timer's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It stands */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timer"];
                };
            };
            /** @description No such room or timer */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"];
                };
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token's id, as `POST /tokens` answered it */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken back; also when it was already, or was over */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No token has such an id */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_whep: {
        parameters: {
            query?: {
                /** @description Fixes the picture's size, by its height: `360p`. Without it (or with `auto`) it is what the line carries */
                rendition?: string;
                /** @description The name of the caller's own WHIP session: they do not hear themselves. A token's name comes before it */
                name?: string;
            };
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
            };
            cookie?: never;
        };
        /** @description The offer */
        requestBody: {
            content: {
                "application/sdp": string;
            };
        };
        responses: {
            /** @description The answer; `Location` is the session, `Link` the ICE servers */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/sdp": string;
                };
            };
            /** @description The query or the SDP is malformed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such room */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No SDP */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The offer cannot be taken, or the room has no such rendition; the detail names the m-line and its codecs */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room, or the token, has too many viewers or too many that still connect */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server has nothing left to build it of; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_whep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The session, as in `Location` */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such session */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_whep: {
        parameters: {
            query?: never;
            header?: {
                /** @description The session's `ETag` */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The session, as in `Location` */
                session: string;
            };
            cookie?: never;
        };
        /** @description Candidates */
        requestBody: {
            content: {
                "application/trickle-ice-sdpfrag": string;
            };
        };
        responses: {
            /** @description Taken */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Malformed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has another tag */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An ICE restart */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_whip: {
        parameters: {
            query?: {
                /** @description The name to be seen by; a token's name comes before it */
                name?: string;
            };
            header?: never;
            path: {
                /** @description The room's name; the room is made if it does not exist */
                room: string;
            };
            cookie?: never;
        };
        /** @description The offer */
        requestBody: {
            content: {
                "application/sdp": string;
            };
        };
        responses: {
            /** @description The answer; `Location` is the session, `Link` the ICE servers */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/sdp": string;
                };
            };
            /** @description The query or the SDP is malformed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is for another room or role, or the room is locked or bars the sender */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The room is full */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No SDP */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The offer cannot be taken as a whole; the detail names the m-line and its codecs */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The token has all its places or rooms */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The server has nothing left to build it of; `Retry-After` says when to ask again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_whip: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The room's name */
                room: string;
                /** @description The session, as in `Location` */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such session */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_whip: {
        parameters: {
            query?: never;
            header?: {
                /** @description The session's `ETag` */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The room's name */
                room: string;
                /** @description The session, as in `Location` */
                session: string;
            };
            cookie?: never;
        };
        /** @description Candidates */
        requestBody: {
            content: {
                "application/trickle-ice-sdpfrag": string;
            };
        };
        responses: {
            /** @description Taken */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Malformed */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such session */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The session has another tag */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An ICE restart */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It lives */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Text exposition format */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description Refused */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description It is ending, or a room waits for new media */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
}
