/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One walk over the services.
 */
#include "common/route/certificate_places.h"

#include "common/base/mem.h"
#include "common/conf/conf.h"

static bool
has_same_certificates(const struct tls_settings *one,
		      const struct tls_settings *other)
{
	if (one->certificate_count != other->certificate_count)
		return false;
	for (size_t i = 0; i < one->certificate_count; i++) {
		const struct position *at = &one->certificates[i].at;
		const struct position *also = &other->certificates[i].at;

		if (at->file != also->file || at->line != also->line ||
		    at->column != also->column)
			return false;
	}
	return true;
}

static size_t
count_places(const struct conf *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_service *service = &conf->services[i];

		if (service->accept.tls)
			count += 1 + service->accept.tls->host_count;
		if (service->connect.tls)
			count++;
	}
	return count;
}

static void
add_accept(struct certificate_places *places,
	   const struct conf_service *service)
{
	const struct tls_settings *settings = service->accept.tls;
	size_t own = places->set_count++;

	places->places[places->count++] = (struct certificate_place){
		.service = service,
		.settings = settings,
		.is_server = true,
		.set = own,
	};
	for (size_t i = 0; i < settings->host_count; i++) {
		const struct tls_host *host = &settings->hosts[i];
		bool is_shared =
			has_same_certificates(host->settings, settings);

		places->places[places->count++] = (struct certificate_place){
			.service = service,
			.host = host,
			.settings = host->settings,
			.is_server = true,
			.set = is_shared ? own : places->set_count++,
		};
	}
}

static void
add_connect(struct certificate_places *places,
	    const struct conf_service *service)
{
	const struct tls_settings *settings = service->connect.tls;
	bool has_set = settings->certificate_count > 0;

	places->places[places->count++] = (struct certificate_place){
		.service = service,
		.settings = settings,
		.set = has_set ? places->set_count++ : CERTIFICATE_PLACE_NO_SET,
	};
}

void
certificate_places_list(const struct conf *conf,
			struct certificate_places *places)
{
	*places = (struct certificate_places){0};
	places->places = mem_array(count_places(conf), sizeof(*places->places));
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_service *service = &conf->services[i];

		if (service->accept.tls)
			add_accept(places, service);
		if (service->connect.tls)
			add_connect(places, service);
	}
}

void
certificate_places_clear(struct certificate_places *places)
{
	mem_free(places->places);
	*places = (struct certificate_places){0};
}
